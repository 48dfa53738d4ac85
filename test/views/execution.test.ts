import { strict as assert } from 'node:assert';
import { json } from '../../server/src/export/json';
import { text } from '../../server/src/export/text';
import { runDiagnostics } from '../../server/src/services/diagnostics';
import { positionAtLine } from '../../server/src/views/position-at-line';
import { stepDetail } from '../../server/src/views/detail';
import type { RunView } from '../../server/src/views/view';
import { ran } from '../support/runs';
import { MACHINE, URI } from '../support/scripts';

const FIRST = MACHINE.split('\n').length - 1;

/** Statements of a run's list, each with its line in the script, from 0. */
function statements(view: RunView): string[] {
  const rows = view.steps.rows(0, view.steps.length).filter(({ event }) => event === 'statement');
  return rows.map(({ line, text: said }) => `${line! - FIRST}: ${said}`);
}

const shown = (script: string): string[] => statements(ran(MACHINE + script).views[0]);

describe('a statement as one execution of it', () => {
  const BLOCK = `block poke(a, v) {
  user write a = v  /* the value */ expect ok
}
run guest under ept {
  poke(0x40_0000, 1)
  poke(0x40_1000, 0x22)
}
`;

  it('in a block has the values of the parameters, at the line that calls it from the run', () => {
    assert.deepEqual(shown(BLOCK), ['4: user write 0x40_0000 = 1', '5: user write 0x40_1000 = 0x22']);
  });

  it('has them in the list, the detail, the terminal and JSON, and is found by both lines', () => {
    const { views } = ran(MACHINE + BLOCK);
    const [view] = views;
    const second = view.steps.stepAtLine(URI, FIRST + 5)!;
    const { statement, row } = stepDetail(view, second)!;
    assert.deepEqual([statement?.text, statement?.line, row.line], ['user write 0x40_1000 = 0x22', FIRST + 5, FIRST + 5]);
    assert.equal(view.steps.stepAtLine(URI, FIRST + 1), view.steps.stepAtLine(URI, FIRST + 4));
    assert.equal(positionAtLine(view, URI, FIRST + 5), view.steps.rowOf(second));
    const lines = [...text(views, { colors: false, width: 0, journal: false, entries: false })];
    assert.match(lines.join('\n'), new RegExp(`${FIRST + 6}  user write 0x40_1000 = 0x22 ·`));
    const document = JSON.parse([...json({ file: 'a.mmu', uri: URI, views, held: 2, failed: 0, exitStatus: 0, brief: true })].join('')) as {
      runs: { outcomes: { text?: string; line?: number }[]; events?: unknown }[];
    };
    const [{ outcomes, events }] = document.runs;
    assert.deepEqual(outcomes.filter((each) => each.line === FIRST + 6).map((each) => each.text), ['user write 0x40_1000 = 0x22', 'ok']); // prettier-ignore
    assert.equal(events, undefined);
  });

  it('in a loop has the whole expression that depends on it as a number', () => {
    assert.deepEqual(shown('run guest under ept {\n  for i in 0 .. 1 { user read (0x40_0000 + i * 4K) size 4 }\n}\n'), [
      '1: user read 0x40_0000 size 4',
      '1: user read 0x40_1000 size 4',
    ]);
  });

  it('in a block in a block sees its own names, and is of the outermost call', () => {
    const script = `block inner(a) { for i in 0 .. 1 { user read a + i * 8 } }
block outer(i, a) { const there = a + i * 4K
  inner(there)
  user read there }
run guest under ept { outer(1, 0x40_0000) }
`;
    assert.deepEqual(shown(script), ['4: user read 0x40_1000', '4: user read 0x40_1008', '4: user read 0x40_1000']);
  });

  it('tells apart names that hide one another', () => {
    const script = 'run guest under ept { for i in 1 .. 1 { const p = i * 4K  for i in 2 .. 2 { user read 0x40_0000 + p + i } } }\n';
    assert.deepEqual(shown(script), ['0: user read 0x40_1002']);
  });

  it('has tables by their name', () => {
    const script = `block see(t, a) { t[a].writable = no }\nrun guest under ept { see(kernel, 0x40_0000) }\n`;
    assert.deepEqual(shown(script), ['1: kernel[0x40_0000].writable = no']);
  });

  it('is what messages about its expectations say', () => {
    const script = `block see(a, n) { user read a expect hpa of gpa n * 4K }\nrun guest under ept {\n  see(0x40_0000, 7)\n}\n`;
    const { analysis, views } = ran(MACHINE + script);
    const [{ message }] = runDiagnostics(analysis, { views, failure: null });
    assert.match(String(message), /^expected hpa of gpa 0x7000, got /);
  });
});
