import { strict as assert } from 'node:assert';
import { CodeActionKind } from 'vscode-languageserver-types';
import type { Diagnostic } from 'vscode-languageserver-types';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { codeActions } from '../../server/src/services/code-actions';
import { runLenses, traceLenses } from '../../server/src/services/code-lens';
import { foundDiagnostics, runDiagnostics, textDiagnostics } from '../../server/src/services/diagnostics';
import { inlayHints } from '../../server/src/services/inlay-hints';
import { translateAt } from '../../server/src/services/translate-at';
import { runInfo } from '../../server/src/views/info';
import { ran } from '../support/runs';
import type { Ran } from '../support/runs';
import { MACHINE, opened, URI } from '../support/scripts';

/** All that there are of a text and its runs. */
function diagnosticsOf({ analysis, found, views }: Ran): Diagnostic[] {
  return [...textDiagnostics(analysis), ...foundDiagnostics(analysis, found), ...runDiagnostics(analysis, { views, failure: null })];
}

const EVERYWHERE = { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } };
const run = (body: string, under = 'ept'): string => `${MACHINE}run guest under ${under} {\n${body}\n}\n`;

describe('inlay hints', () => {
  /** @param expected label of the hint of each line that has one */
  function check(fixture: string, expected: readonly RegExp[], exits = true): void {
    const { analysis, views } = ran(fixture);
    const hints = inlayHints(analysis, views, EVERYWHERE, { exits }).map(({ hint }) => hint);
    assert.equal(hints.length, expected.length, hints.map(({ label }) => label).join('\n'));
    expected.forEach((each, index) => assert.match(String(hints[index].label), each));
  }

  it('say what each statement came to', () =>
    check(run('user read 0x40_0000\nuser read 0x40_0000\nuser fetch 0x7fff_f000'), [
      /^→ hpa 0x[0-9a-f_]+ · \d exits?$/,
      /^→ hpa 0x[0-9a-f_]+$/,
      /^#PF\(P U I\): PT\[511\]\.XD = 1/,
    ]));
  it('leave exits out when they are not wanted', () => check(run('user read 0x40_0000'), [/^→ hpa 0x[0-9a-f_]+$/], false));
  it('say for several kinds what is the same once', () =>
    check(run('user read 0x40_0000', 'soft, ept, npt'), [/^→ hpa 0x[0-9a-f_]+ · soft 1 exit \| ept, npt 5 exits$/]));
  it('say the same of all kinds once', () =>
    check(run('user fetch 0x7fff_f000 expect #PF(P U I)', 'ept, npt'), [/^#PF\(P U I\): PT\[511\]\.XD = 1/]));
  it('sum loops up', () => check(run('for i in 0 .. 3 { user read 0x40_0000 + 0x1000 * i }'), [/4 times/]));
  it('stand behind the statement, before a comment', () => {
    const { analysis, views } = ran(run('user read 0x40_0000   expect ok   // first'));
    const [{ hint, statement }] = inlayHints(analysis, views, EVERYWHERE, { exits: true });
    const { position } = hint;
    assert.deepEqual([statement.start.character, statement.end], [0, position]);
    const line = analysis.parsed.text.split('\n')[position.line];
    assert.equal(line.slice(0, position.character), 'user read 0x40_0000   expect ok');
  });
  it('are those of the lines asked for', () => {
    const { analysis, views } = ran(run('user read 0x40_0000\nuser read 0x40_1000'));
    const line = MACHINE.split('\n').length;
    const range = { start: { line, character: 0 }, end: { line, character: 5 } };
    assert.deepEqual(inlayHints(analysis, views, range, { exits: true }).map(({ hint }) => hint.position.line), [line]); // prettier-ignore
  });
});

describe('diagnostics', () => {
  interface Seen {
    readonly code: unknown;
    readonly text: string;
    readonly message: string;
    /** Lines of what it is about too. */
    readonly related: readonly number[];
  }
  function seen(fixture: string, files: { [name: string]: string } = {}): Seen[] {
    const script = ran(fixture, files);
    const { analysis } = script;
    return diagnosticsOf(script).map(({ code, message, range, relatedInformation = [] }) => {
      const text = analysis.parsed.text.slice(analysis.offsetAt(range.start), analysis.offsetAt(range.end));
      return { code, text, message: String(message), related: relatedInformation.map(({ location }) => location.range.start.line) };
    });
  }
  const one = (all: readonly Seen[], code: string): Seen => {
    const found = all.filter((each) => each.code === code);
    assert.equal(found.length, 1, JSON.stringify(all));
    return found[0];
  };

  it('of a text stand at their place', () => {
    const { analysis } = opened('host { memroy 64M }\nconst a = b\n');
    const found = textDiagnostics(analysis);
    assert.ok(found.length >= 2);
    assert.deepEqual(found.map(({ range }) => range.start.line).sort((a, b) => a - b), found.map(({ range }) => range.start.line)); // prettier-ignore
    assert.ok(found.every(({ source, code, message }) => source === 'mmu' && code && !String(message).endsWith('.')));
  });

  it('of names that nothing uses fade them', () => {
    const { analysis } = opened(`const unused = 1\n${run('user read 0x40_0000')}`);
    assert.ok(textDiagnostics(analysis).some(({ tags }) => tags?.includes(1)));
  });

  it('of names defined twice lead to the first', () => {
    const { analysis } = opened('const a = 1\nconst a = 2\n');
    const twice = textDiagnostics(analysis).find(({ code }) => code === 'defined-twice');
    assert.equal(twice?.relatedInformation?.[0].location.range.start.line, 0);
  });

  it('of an imported file stand at the import', () => {
    const { code, text, message } = one(seen('import "bad.mmu"\n', { 'bad.mmu': 'host { memroy 1M }\n' }), 'import-problem');
    assert.deepEqual([code, text], ['import-problem', '"bad.mmu"']);
    assert.match(message, /memroy/);
  });

  it('of an expectation that failed say what happened instead', () => {
    const { text, message } = one(seen(run('user read 0x40_0000 expect ok, exits 99')), 'expectation-failed');
    assert.equal(text, 'exits 99');
    assert.match(message, /99.*got.*5/);
  });

  it('of an expectation that fails under some kinds name them', () => {
    const { message } = one(seen(run('user read 0x40_0000 expect exits 5', 'soft, ept')), 'expectation-failed');
    assert.match(message, /under soft\)/);
  });

  it('of an expectation that fails again and again are one', () => {
    const { message } = one(seen(run('for i in 0 .. 9 { user read 0x40_0000 + 0x1000 * i expect value i }')), 'expectation-failed');
    assert.match(message, /expected value 1, got .*, and otherwise 8 more times$/);
    const different = one(seen(run('for i in 0 .. 9 { user read 0x40_0000 + 0x1000 * i expect hpa i }')), 'expectation-failed');
    assert.match(different.message, /, and otherwise 9 more times$/);
  });

  it('of a slot that KVM refuses carry the errno', () => {
    const all = seen(run('host create slot 1 { gpa 0x80_0000  size 16M }'));
    assert.ok(all.some(({ message }) => message.includes('EEXIST')), JSON.stringify(all));
  }); // prettier-ignore

  it('of an errno that is expected are none', () => {
    const all = seen(run('host create slot 1 { gpa 0x80_0000  size 16M } expect error EEXIST'));
    assert.deepEqual(all.filter(({ code }) => code === 'slot-refused' || code === 'expectation-failed'), []); // prettier-ignore
  });

  it('of a budget that is used up stand at the run', () => {
    const source = `budget { steps 3 }\n${run('user read 0x40_0000\n  user read 0x40_1000 x 10')}`;
    const { text, message, related } = one(seen(source), 'budget-exceeded');
    assert.match(text, /^run guest under ept/);
    assert.match(message, /3 steps/);
    const last = source.split('\n').findIndex((line) => line.includes('x 10'));
    assert.deepEqual(related, [last], 'the last statement that was executed');
  });

  it('of a worker that died stand at the first run', () => {
    const { analysis } = opened(run('user read 0x40_0000'));
    const found = runDiagnostics(analysis, { views: [], failure: 'the worker ended: out of memory' });
    assert.equal(found.find(({ code }) => code === 'engine-failure')?.range.start.line, MACHINE.split('\n').length - 1);
  });
});

describe('code actions', () => {
  /** The text after the action at `<|>` whose title fits. */
  function applied(fixture: string, title: RegExp): string {
    const script = ran(fixture);
    const { analysis, views, cursor, text } = script;
    const { start } = analysis.locate(URI, { start: cursor, end: cursor }).range;
    const shown = diagnosticsOf(script);
    const all = codeActions(analysis, script.problems, views, { start, end: start }, shown);
    const action = all.find((each) => title.test(each.title));
    assert.ok(action, all.map((each) => each.title).join('\n'));
    return TextDocument.applyEdits(TextDocument.create(URI, 'mmu', 1, text), action.edit?.changes?.[URI] ?? []);
  }
  const check = (body: string, title: RegExp, expected: string, under = 'ept'): void =>
    assert.equal(applied(run(body, under), title), run(expected, under));

  it('mend a problem', () => assert.match(applied('host { memro<|>y 64M }\n', /memory/), /^host \{ memory 64M \}/));
  it('write the number of exits that there were', () =>
    check('user read 0x40_0000 expect ok, exits 9<|>9', /Expect what happened/, 'user read 0x40_0000 expect ok, exits 5'));
  it('write the fault that there was', () =>
    check('user fetch 0x7fff_f000 expect o<|>k', /Expect what happened/, 'user fetch 0x7fff_f000 expect #PF(P U I)'));
  it('write one expectation for each kind where they differ', () =>
    check(
      'user read 0x40_0000 expect exits 9<|>9',
      /Expect what happened/,
      'user read 0x40_0000 expect exits 1 under soft expect exits 5 under ept, npt',
      'soft, ept, npt',
    ));
  it('write kernels once for kinds that have the same', () =>
    check(
      'user read 0x40_0000 expect exits 9<|>9',
      /Expect what happened/,
      'user read 0x40_0000 expect exits 1 under soft with kernel 6.1, 6.12 expect exits 5 under ept, npt with kernel 6.1, 6.12',
      'soft, ept, npt with kernel 6.1, 6.12',
    ));
  it('write what happened where nothing is expected', () =>
    check(
      'user rea<|>d 0x40_0000',
      /Write what happened/,
      'user read 0x40_0000  expect ok expect exits 1 under soft expect exits 5 under ept',
      'soft, ept',
    ));
  it('write nothing where executions differ', () => {
    const { analysis, views, cursor } = ran(run('for i in 0 .. 3 { user rea<|>d 0x40_0000 + 0x20_0000 * i }'));
    const { start } = analysis.locate(URI, { start: cursor, end: cursor }).range;
    assert.deepEqual(codeActions(analysis, [], views, { start, end: start }, []).filter(({ kind }) => kind === CodeActionKind.RefactorRewrite), []); // prettier-ignore
  });
  for (const [what, wrong, right] of [
    ['the value of an entry', 'kernel[0x40_0000] = <|>5', 'kernel[0x40_0000] = 0x20_0027'],
    ['flags of an entry', 'shadow[0x40_0000] rw us<|>er', 'shadow[0x40_0000] = 0x1020_0a25'],
    ['a bit of an entry', 'kernel[0x40_0000].accessed = n<|>o', 'kernel[0x40_0000] = 0x20_0027'],
    ['an entry that is not there', 'shadow[0x50_0000] r<|>w', 'shadow[0x50_0000] = 0x0'],
    ['an entry that is there', 'shadow[0x40_0000] abs<|>ent', 'shadow[0x40_0000] = 0x1020_0a25'],
    ['the state of a page', 'page 0x1000 not track<|>ed', 'page 0x1000 tracked'],
    ['an event', 'events kvm_exit(INV<|>LPG)', 'events kvm_exit(EXCEPTION_NMI)'],
    [
      'events one by one',
      'events kvm_exit, kvm_mmu_set_spte(gfn 0x2<|>01, level 1), kvm_pml_full',
      'events kvm_exit, kvm_mmu_set_spte(gfn 0x200, level 1)',
    ],
  ] as const) {
    it(`write ${what} as it is`, () => {
      check(`user read 0x40_0000 expect ${wrong}`, /Expect what happened/, `user read 0x40_0000 expect ${right}`, 'soft');
      assert.deepEqual(diagnosticsOf(ran(run(`user read 0x40_0000 expect ${right}`, 'soft'))), []);
    });
  }
  it('leave a scenario whose expectations hold', () => {
    const text = applied(run('user read 0x40_0000 expect exits 9<|>9', 'soft, ept'), /Expect what happened/);
    assert.deepEqual(diagnosticsOf(ran(text)), []);
  });
});

describe('code lenses', () => {
  it('stand over each run, with the counts when it has run', () => {
    const { analysis, views } = ran(`${run('user read 0x40_0000 expect ok, exits 99', 'soft, ept')}run guest { user read 0x40_0000 }\n`);
    const infos = views.map((view, index) => runInfo(view, { runId: String(index), uri: URI, version: 1, index, until: null }));
    assert.deepEqual(runLenses(analysis).map(({ command }) => command?.title), ['▶ Run', '▶ Run']); // prettier-ignore
    assert.deepEqual(traceLenses(analysis, []), []);
    const traces = traceLenses(analysis, infos).map(({ command }) => command!);
    assert.match(traces[0].title, /✗ 2 of 4 expectations failed, 2 runs, \d+ steps/);
    assert.deepEqual(traces.map((command) => command.arguments), [[URI, 0], [URI, 2]]); // prettier-ignore
  });
});

describe('the translation of an address', () => {
  it('is of the one at the position', () => {
    const { analysis, views, cursor } = ran(run('user read 0x40_0<|>123'));
    const { start } = analysis.locate(URI, { start: cursor, end: cursor }).range;
    assert.match(translateAt(analysis, views[0], start, null)?.markdown ?? '', /GPA `0x20_0123`/);
  });
  it('is of one that is given', () => {
    const { analysis, views, cursor } = ran(`const here = 0x40_0010\n${run('user read 0x40_0123<|>')}`);
    const { start } = analysis.locate(URI, { start: cursor, end: cursor }).range;
    assert.match(translateAt(analysis, views[0], start, '0x40_1000')?.markdown ?? '', /GPA `0x20_1000`/);
    assert.match(translateAt(analysis, views[0], start, 'here')?.markdown ?? '', /GPA `0x20_0010`/);
    assert.match(translateAt(analysis, views[0], start, 'gpa 0x5000')?.markdown ?? '', /HVA `0x7f00_0000_5000`/);
    assert.equal(translateAt(analysis, views[0], start, 'nonsense'), null);
  });
});
