/** Runs beside each other: alike, they do not differ; what differs is marked for what it is; an edit keeps what was not edited in its place. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareRuns } from '../../server/src/api/engine';
import { compareJson } from '../../server/src/export/compare-json';
import type { ComparisonView } from '../../server/src/protocol/comparison';
import { aligned } from '../../server/src/views/compare/align';
import { comparisonLines } from '../../server/src/views/compare/compare-text';
import type { RunView } from '../../server/src/views/view';
import { validComparisons } from '../export/schema';
import { ran } from '../support/runs';
import { holdsForAllRuns } from './run-sources';

const VM = `vm guest {
  slot 0 { gpa 0 size 16M }
  tables kernel at 0x1000 { 0x40_0000 +64K -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
`;

const viewsOf = (script: string): readonly RunView[] => ran(VM + script).views;
const beside = (...views: readonly RunView[]): ComparisonView => compareRuns(views.map((view) => ({ view })));
const textOf = (view: ComparisonView): string => [...comparisonLines(view)].map(({ text }) => text).join('\n');

describe('runs that are compared with themselves', () => {
  holdsForAllRuns('say no difference', (view) => {
    const comparison = beside(view, view);
    assert.equal(comparison.differing, 0);
    for (const counts of [comparison.exits, comparison.references, comparison.statistics])
      for (const { counts: of } of counts) assert.equal(of[0], of[1]);
    assert.match(textOf(comparison), /^no difference in \d+ statements?$/m);
    assert.ok(validComparisons(JSON.parse(compareJson([comparison], 0))), JSON.stringify(validComparisons.errors));
    return comparison.lines.length;
  });
});

describe('runs that differ', () => {
  it('under other kinds: exits, references, tables of each', () => {
    const comparison = beside(...viewsOf('run guest under soft, ept {\n  user write 0x40_0000 x 4 step 4K\n  user read 0x40_0000\n}\n'));
    assert.deepEqual(
      comparison.runs.map(({ short }) => short),
      ['soft', 'ept'],
    );
    const [write, read] = comparison.lines;
    assert.deepEqual([write.differs, read.differs], [['exits', 'references'], []]);
    assert.deepEqual(comparison.exits, [
      { name: 'EXCEPTION_NMI', counts: [4, 0] },
      { name: 'EPT_VIOLATION', counts: [0, 8] },
    ]);
    const [soft, ept] = write.in.map((each) => each!.entries.map(({ what }) => what));
    assert.ok(soft.some((what) => what.startsWith('shadow PT[0]')) && ept.some((what) => what.startsWith('EPT1[')));
    assert.match(textOf(comparison), /^ {8}ept {3}→ hpa .* · 8 × EPT_VIOLATION · /m);
  });

  it('in three ways', () => {
    const { runs, lines, exits } = beside(...viewsOf('run guest under soft, ept, npt {\n  user read 0x40_0000\n}\n'));
    assert.deepEqual([runs.length, lines[0].in.length, exits.length], [3, 3, 3]);
  });

  it('by entries that became something else', () => {
    const [one] = viewsOf('run guest under ept {\n  kernel[0x40_1000] = 0\n}\n');
    const [other] = viewsOf('run guest under ept {\n  kernel[0x40_1000] = 0\n}\n'.replace('= 0', '= 0x20_2067'));
    const [line] = beside(one, other).lines;
    assert.ok(line.differs.includes('entries') && line.differs.includes('text'), line.differs.join());
  });

  it('before and after an edit: a statement more, one that was changed', () => {
    const [before] = viewsOf('run guest under ept {\n  user read 0x40_0000\n  user read 0x40_1000\n  user read 0x40_3000\n}\n');
    const [after] = viewsOf(
      'run guest under ept {\n  user read 0x40_0000\n  user write 0x40_1000\n  user read 0x40_3000\n  user read 0x40_4000\n}\n',
    );
    const { lines, differing } = beside(before, after);
    assert.deepEqual(
      lines.map(({ in: cells, differs }) => [
        cells.map((cell) => cell?.text ?? null),
        differs.includes('text'),
        differs.includes('executed'),
      ]),
      [
        [['user read 0x40_0000', 'user read 0x40_0000'], false, false],
        [['user read 0x40_1000', 'user write 0x40_1000'], true, false],
        [['user read 0x40_3000', 'user read 0x40_3000'], false, false],
        [[null, 'user read 0x40_4000'], false, true],
      ],
    );
    assert.equal(differing, 2);
  });

  it('by an expectation that fails', () => {
    const [soft, ept] = viewsOf('run guest under soft, ept {\n  user read 0x40_0000 expect exits 1\n}\n');
    const [line] = beside(soft, ept).lines;
    assert.ok(line.differs.includes('expectations'));
    assert.match(line.in[1]!.failed[0], /^exits 1: got 5 exits/);
  });
});

describe('alignment', () => {
  const texts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });

  it('has every statement once and in order, and pairs alike ones where it can', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        const pairs = aligned(one, other);
        const of = (side: 0 | 1) => pairs.flatMap((pair) => (pair[side] === null ? [] : [pair[side]]));
        assert.deepEqual(of(0), [...one.keys()]);
        assert.deepEqual(of(1), [...other.keys()]);
        assert.ok(pairs.every(([a, b]) => a !== null || b !== null));
      }),
    );
  });

  it('keeps a text as it is beside one that has more', () => {
    fc.assert(
      fc.property(texts, texts, texts, (head, more, tail) => {
        const pairs = aligned([...head, ...tail], [...head, ...more, ...tail]);
        assert.equal(pairs.filter(([one, other]) => one === null || other === null).length, more.length);
      }),
    );
  });
});
