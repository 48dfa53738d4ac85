/** `load "guest.dump" at 0x10_0000`: guest memory from a file, byte by byte as it stands there. */
import { PAGE_SIZE } from '../../engine/bits';
import { contentOf, isNotOpened, notOpenedText } from '../files';
import type { Found } from '../files';
import { bindParts, declaresNothing, notInOutline } from '../kind';
import type { VmItemKind } from '../kind';
import type { Context } from '../lower/context';
import type { Area } from '../lower/tables/allocator';
import type { Owners } from '../lower/tables/builder';
import type { MemoryBuilder } from '../lower/tables/memory';
import { reportUnsupported } from '../lower/unsupported';
import { resolveImport } from '../semantics/paths';
import { show } from '../semantics/values';
import type { Env } from '../semantics/values';
import { value } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression, Text } from '../syntax/tree';

export interface Load extends Base {
  readonly kind: 'load';
  readonly path: Text | null;
  readonly at: Expression;
}

const LOADED = { ERR_MSG: 'the path of a file in quotes', PATH: 'load', LABEL: '"path"' } as const;

const GPA = value('a guest-physical address', 'gpa');

/** `load "guest.dump" at 0x10_0000` */
const rule: Rule<[], Load> = ($) => () => {
  const start = $.CONSUME($.t.word('load')).startOffset;
  const path = $.textOrNull($.CONSUME($.t.Str, LOADED));
  $.CONSUME($.t.word('at'));
  const at = $.SUBRULE($.expression, GPA);
  return { kind: 'load', path, at, range: $.since(start) };
};

export const load: VmItemKind<Load> = {
  rule,
  words: { declaration: { load: 'Guest memory from a file: `load "guest.dump" at 0x10_0000`.' } },
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: (node, part) => (node.at === part ? 'gpa' : null),
  outline: notInOutline,
  declare: declaresNothing,
  once: () => null,
  plan: {
    claim: (vm, node, env, claims) => {
      const area = loadedArea(vm.context, node, env, vm.readBytes);
      if (area) claims.fill(area);
    },
    fill: (vm, node, env, memory) => loadFile(vm.context, node, env, vm.readBytes, memory, vm.owners, (gpa) => vm.hasMemory(gpa)),
  },
};

/** Content of files that are loaded. Absent: files cannot be read here. */
export type ReadBytes = (uri: string) => Found<Uint8Array>;

/** Reads each file once; one that makes the reader throw cannot be read. */
export function readingOnce(read: ReadBytes): ReadBytes {
  const known = new Map<string, Found<Uint8Array>>();
  return (uri) => {
    let bytes = known.get(uri);
    if (bytes === undefined) {
      try {
        bytes = read(uri);
      } catch {
        bytes = null;
      }
      known.set(uri, bytes);
    }
    return bytes;
  };
}

/** Guest-physical memory that a load fills; null when it is unknown, which is not reported. */
function loadedArea(context: Context, { path, at }: Load, env: Env, read: ReadBytes | undefined): Area | null {
  const from = context.evaluator.number(at, env);
  const uri = path && resolveImport(path.value, env.file.uri);
  const bytes = uri && read ? contentOf(read(uri)) : null;
  return from === null || from < 0n || !bytes ? null : { from: Number(from), end: Number(from) + bytes.length };
}

/**
 * Loads a file into guest memory; what cannot be is reported.
 *
 * @param owners pages of tables, which a file must leave alone
 */
function loadFile(
  context: Context,
  node: Load,
  env: Env,
  read: ReadBytes | undefined,
  memory: MemoryBuilder,
  owners: Owners,
  hasMemory: (gpa: number) => boolean,
): void {
  const from = context.between(node.at, env, 'a guest-physical address', 0n, (1n << 52n) - 1n);
  if (!node.path || from === null) return;
  if (!read) return reportUnsupported(context, env, node, 'load');
  const uri = resolveImport(node.path.value, env.file.uri);
  const bytes = uri === null ? null : read(uri);
  if (bytes && isNotOpened(bytes)) return context.report(env, node.path, 'not-opened', notOpenedText(bytes));
  if (!bytes)
    return context.report(
      env,
      node.path,
      'no-such-file',
      uri === null ? 'this path leads to no file from here' : 'this file cannot be read',
    );
  if (from % 8n !== 0n) return context.report(env, node.at, 'not-aligned', `a file is loaded at a multiple of 8, not at ${show(from)}`);
  const gpa = Number(from);
  for (let page = Math.floor(gpa / PAGE_SIZE); page * PAGE_SIZE < gpa + bytes.length; page++) {
    const first = Math.max(page * PAGE_SIZE, gpa);
    if (!hasMemory(first)) return context.report(env, node.at, 'not-in-slot', `gpa ${show(first)}, which the file fills, is in no slot`);
    const owner = owners.get(page);
    if (!owner) continue;
    const related = [{ file: owner.tables.file, node: owner.node, message: `a table of ${owner.tables.name}` }];
    return context.report(env, node.at, 'tables-overlap', `the file fills gpa ${show(first)}, where a table of ${owner.tables.name} lies`, {
      related,
    });
  }
  memory.fill(gpa, bytes);
}
