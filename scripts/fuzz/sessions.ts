/** Sessions: clients that open, edit and ask in any order, with parameters that are none, and garbage between messages. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { documented, samples } from '../../test/support/examples';
import { serverBundle } from './server-bundle';
import { checked } from './checked';
import type { Round } from './fuzzers';

/** Milliseconds that the server has to answer the last request of a session, and to end. A busy machine is slow, not hung. */
const PATIENCE = 20_000;

const TEXTS = [...samples(), ...documented()].map(({ text }) => text);
const METHODS = [
  'hover', 'completion', 'definition', 'references', 'documentHighlight', 'documentSymbol', 'foldingRange', 'selectionRange', 'documentLink', 'codeLens',
  'codeAction', 'formatting', 'rangeFormatting', 'rename', 'prepareRename', 'signatureHelp', 'inlayHint', 'diagnostic', 'semanticTokens/full',
  'semanticTokens/range', 'nonsense',
]; // prettier-ignore

/** What no client sends: its handler answers with nothing, and a line in the log says why. */
const anything = fc.anything({ maxDepth: 2, withBigInt: false });
const uri = fc.constantFrom('file:///w/a.mmu', 'file:///w/b.mmu', 'untitled:one', 'nothing', '');
const position = fc.record({ line: fc.integer({ min: -2, max: 60 }), character: fc.integer({ min: -2, max: 90 }) });
const range = fc.record({ start: position, end: position });

type Message =
  { readonly method: string; readonly params: unknown; readonly ask: boolean; readonly sane: boolean } | { readonly raw: string };

const say = (method: string, params: fc.Arbitrary<unknown>, ask = false, sane = true): fc.Arbitrary<Message> =>
  params.map((each) => ({ method, params: each, ask, sane }));
const document = (more: { readonly [key: string]: fc.Arbitrary<unknown> }): fc.Arbitrary<unknown> =>
  fc.record({ textDocument: fc.record({ uri, version: fc.nat(9) }), ...more });

const message: fc.Arbitrary<Message> = fc.oneof(
  say('textDocument/didOpen', fc.record({ textDocument: fc.record({ uri, languageId: fc.constant('mmu'), version: fc.nat(9), text: fc.constantFrom(...TEXTS) }) })), // prettier-ignore
  say('textDocument/didChange', document({ contentChanges: fc.array(fc.oneof(fc.record({ range, text: fc.constantFrom('', '{', 'x', '\n') }), fc.record({ text: fc.constantFrom(...TEXTS) })), { maxLength: 3 }) })), // prettier-ignore
  say('textDocument/didClose', document({})),
  say('textDocument/didSave', document({})),
  fc.constantFrom(...METHODS).chain(
    (method) =>
    fc.oneof({ weight: 8, arbitrary: say(`textDocument/${method}`, document({ position, range, positions: fc.array(position, { maxLength: 3 }), context: fc.constant({ diagnostics: [], includeDeclaration: true }), newName: fc.constantFrom('a', '', '1', 'vm'), options: fc.constant({ tabSize: 2, insertSpaces: true }) }), true) }, { weight: 1, arbitrary: say(`textDocument/${method}`, anything, true, false) }), // prettier-ignore
  ),
  say('mmu/steps', anything, true, false),
  say('mmu/translate', anything, true, false),
  say('workspace/didChangeConfiguration', fc.record({ settings: anything })),
  say('workspace/didChangeWatchedFiles', anything, false, false),
  say('workspace/symbol', fc.record({ query: fc.string() }), true),
  say('$/cancelRequest', fc.record({ id: fc.nat(30) })),
  fc.constantFrom('Content-Length: 7\r\n\r\n{"a":1}', 'Content-Length: 5\r\n\r\nabcde', 'Content-Length: 2\r\nX: y\r\n\r\n[]').map((raw) => ({ raw })), // prettier-ignore
);

const sessions = fc.array(message, { minLength: 1, maxLength: 25 });

export async function sessionRound(seed: number): Promise<Round> {
  const server = await serverBundle();
  return checked(sessions, seed, (session) => play(join(server, 'server.js'), session), (session) => `// ${JSON.stringify(session)}\n`, 8); // prettier-ignore
}

/** What the log says of a handler that threw. */
const FAULT = /.{0,300}(?:TypeError|RangeError|ReferenceError|Maximum call stack).{0,600}/;

/** @throws when the server does not answer at the end of a session, does not end, or ends by a fault */
async function play(script: string, session: readonly Message[]): Promise<void> {
  const child = spawn(process.execPath, [script, '--stdio'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  let told: () => void = () => undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-1 << 20);
    told();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const send = (body: unknown): void => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...(body as object) });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  const within = async (what: string, promise: Promise<unknown>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise(
      (_, reject) => (timer = setTimeout(() => reject(new Error(`${what} takes more than ${PATIENCE} ms\n${errors}`)), PATIENCE)),
    );
    await Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };
  try {
    send({ id: 'first', method: 'initialize', params: { processId: null, rootUri: null, capabilities: {} } });
    send({ method: 'initialized', params: {} });
    session.forEach((each, id) => {
      if ('raw' in each) child.stdin.write(each.raw);
      else send({ ...(each.ask && { id }), method: each.method, params: each.params });
    });
    send({ id: 'last', method: 'shutdown' });
    const answered = new Promise<void>((resolve) => {
      told = () => {
        if (/"id":"last"/.test(output)) resolve();
      };
      told();
    });
    await within('shutdown', Promise.race([answered, ended]));
    send({ method: 'exit' });
    await within('exit', ended);
    const sane = session.every((each) => 'raw' in each || each.sane);
    const fault = sane ? FAULT.exec(output + errors) : null;
    if (fault) throw new Error(fault[0]);
    const status = await ended;
    if (status !== 0) throw new Error(`ends with status ${status}\n${errors}`);
  } finally {
    child.kill('SIGKILL');
  }
}
