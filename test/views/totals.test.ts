/**
 * Totals are what a count over the journal's rows gives, and what outcomes say; parts add up to the whole; text, JSON and expectations say
 * the same. Statistics are held against KVM's own events of their runs in known cases.
 */
import assert from 'node:assert/strict';
import { Actor, Kind } from '../../server/src/engine/journal/events';
import { exitReason } from '../../server/src/events/decode';
import { eventAt, isEvent } from '../../server/src/events/fields';
import { json } from '../../server/src/export/json';
import { judgeTotal, RunTotals } from '../../server/src/run/totals';
import type { NamedCount, Totals } from '../../server/src/protocol/totals';
import { totals, totalsInSteps } from '../../server/src/views/totals/totals';
import { totalsLines } from '../../server/src/views/totals/totals-text';
import type { RunView } from '../../server/src/views/view';
import { ran } from '../support/runs';
import { holdsForAllRuns } from './run-sources';

type Named = { readonly [name: string]: number };

const named = (counts: readonly NamedCount[]): Named => {
  const found: { [name: string]: number } = {};
  for (const { name, count } of counts) found[name] = (found[name] ?? 0) + count;
  return found;
};
const sum = (counts: readonly NamedCount[]): number => counts.reduce((all, { count }) => all + count, 0);

/** Counted row by row, each as an event of its own. */
function recounted({ record }: RunView): { readonly exits: Named; readonly references: number; readonly events: Named } {
  const exits: { [name: string]: number } = {};
  const events: { [name: string]: number } = {};
  let references = 0;
  for (let row = 0; row < record.length; row++) {
    if (!isEvent(record, row)) continue;
    const event = eventAt(record, row)!;
    events[event.spec.name] = (events[event.spec.name] ?? 0) + 1;
    if (event.kind === Kind.table_read) references++;
    if (event.kind !== Kind.kvm_exit || event.actor !== Actor.L0) continue;
    const reason = exitReason(event, record.program);
    exits[reason] = (exits[reason] ?? 0) + 1;
  }
  return { exits, references, events };
}

/** Of all outcomes; null when the run ended inside an act, which has none. */
function ofOutcomes({ record: { outcomes, ended } }: RunView): { readonly exits: Named; readonly references: number } | null {
  if (ended.how !== 'done') return null;
  const exits = named(outcomes.flatMap((outcome) => outcome.exits.map(({ reason, count }) => ({ name: reason, count }))));
  return { exits, references: outcomes.reduce((all, outcome) => all + outcome.references, 0) };
}

function added(parts: readonly Totals[], of: (totals: Totals) => readonly NamedCount[]): Named {
  return named(parts.flatMap(of));
}

function written(view: RunView): { readonly [key: string]: unknown } {
  const document = [...json({ file: 'a.mmu', uri: 'file:///a.mmu', views: [view], held: 0, failed: 0, exitStatus: 0 })].join('');
  return (JSON.parse(document) as { runs: { totals: { [key: string]: unknown } }[] }).runs[0].totals;
}

holdsTotals();

function holdsTotals(): void {
  describe('totals', () => {
    holdsForAllRuns('are what the journal has', (view) => {
      const { whole, parts } = totals(view);
      const counted = recounted(view);
      assert.deepEqual(named(whole.exits), counted.exits);
      assert.equal(sum(whole.references), counted.references);
      assert.deepEqual(named(whole.events), counted.events);
      for (const { count, levels } of whole.references) assert.equal(sum(levels), count);
      const outcomes = ofOutcomes(view);
      if (outcomes) assert.deepEqual({ exits: named(whole.exits), references: sum(whole.references) }, outcomes);

      const alone = parts.filter(({ part }) => part !== 'block').map(({ totals: each }) => each);
      const kinds = [(each: Totals) => each.exits, (each: Totals) => each.events, (each: Totals) => each.references];
      for (const of of kinds) assert.deepEqual(added(alone, of), named(of(whole)));
      const statistics = Object.entries(added(alone, (each) => each.statistics)).filter(([, count]) => count !== 0);
      assert.deepEqual(Object.fromEntries(statistics), named(whole.statistics));

      holdsViews(view, whole);
      return counted.references + sum(whole.exits) + 1;
    });
  });
}

/** JSON, text and expectations. */
function holdsViews(view: RunView, whole: Totals): void {
  const { record } = view;
  const document = written(view);
  assert.deepEqual([document.events, document.kvm_stat], [named(whole.events), named(whole.statistics)]);
  const text = totalsLines(whole, 120).join('\n');
  for (const { name, count } of [...whole.exits, ...whole.events.slice(0, 5), ...whole.statistics])
    assert.match(text, new RegExp(`(^|[\\s·])${name.replace('.', '\\.')} +${count}\\b`, 'm'));
  const counts = new RunTotals(record.program).upTo(record);
  const total = (of: Parameters<typeof judgeTotal>[0]['of'], count: number): void => {
    const { holds, expected } = judgeTotal({ kind: 'total', of, count, compare: '==' }, counts, record.program);
    assert.ok(holds, expected);
  };
  for (const [reason, count] of Object.entries(named(whole.exits))) total({ what: 'exits', reason }, count);
  total({ what: 'exits', reason: null }, sum(whole.exits));
  total({ what: 'references' }, sum(whole.references));
  for (const { name, count } of whole.events) total({ what: 'event', name }, count);
  for (const { name, count } of whole.statistics) total({ what: 'statistic', name }, count);
}

const GUEST = `vm guest {
  slot 0 { gpa 0 size 16M }
  tables kernel at 0x1000 { 0x40_0000 +64K -> 0x20_0000 rw user  0x50_0000 +4K -> 0x800_0000 rw user
    0x80_0000 +64K -> 0x1000 rw  table 0x40_0000 level 1 at 0x4000 }
  vcpu { cr3 kernel }
}
`;

const statisticsOf = (text: string): readonly Named[] => ran(GUEST + text).views.map((view) => named(totals(view).whole.statistics));

describe('totals: what kvm_stat counts', () => {
  it('faults by what the handler answers', () => {
    const [soft, ept] = statisticsOf('run guest under soft, ept {\n  user write 0x40_0000 x 16 step 4K\n  user read 0x40_0000\n}\n');
    assert.deepEqual([soft.pf_taken, soft.pf_fixed, soft.exits], [16, 16, 16]);
    // One for each page of the guest's tables that A and D are set in, and one for each page.
    assert.deepEqual([ept.pf_taken, ept.pf_fixed, ept.exits], [20, 20, 20]);
    assert.deepEqual([ept.mmu_cache_miss, ept.mmu_shadow_zapped], [undefined, undefined], 'pages of the TDP MMU are not counted');
    assert.ok(soft.mmu_cache_miss >= 4);
  });

  it("faults of the guest's own", () => {
    const [soft, ept] = statisticsOf('run guest under soft, ept {\n  user read 0x60_0000 expect #PF\n}\n');
    assert.deepEqual([soft.pf_guest, ept.pf_guest], [1, undefined]);
  });

  it('MMIO: sptes made, instructions emulated, exits to the VMM', () => {
    for (const statistics of statisticsOf(
      'run guest under soft, ept {\n  user read 0x50_0000 expect mmio\n  user read 0x50_0000 expect mmio\n}\n',
    )) {
      assert.equal(statistics.mmio_exits, 2);
      assert.equal(statistics.insn_emulation, 2);
      assert.equal(statistics.pf_mmio_spte_created, 1);
      assert.equal(statistics.insn_emulation_fail, undefined);
    }
  });

  it('flushes of vCPUs that were asked for, not those that loading a root or CR4 makes at once', () => {
    const script = 'user read 0x40_0000\n  host reclaim gpa 0x20_0000\n  user read 0x40_0000\n  cr4.pge = on\n  user read 0x40_0000\n';
    const counted = statisticsOf(`run guest under soft, ept, npt {\n  ${script}}\n`);
    assert.deepEqual(counted.map(({ tlb_flush }) => tlb_flush), [2, 1, 2]); // prettier-ignore
    assert.deepEqual(counted.map(({ remote_tlb_flush_requests }) => remote_tlb_flush_requests), [1, 1, 1]); // prettier-ignore
  });

  it('unsync pages, as many as there are', () => {
    const [soft] = statisticsOf(`run guest under soft {
  user read 0x40_0000
  write 0x80_3008 = 0x20_8067
  expect total kvm_stat mmu_unsync 1
  cr3 = kernel
  expect total kvm_stat mmu_unsync 0
}
`);
    assert.equal(soft.mmu_unsync, undefined);
  });
});

describe('totals of parts', () => {
  it('statements with all their executions, and blocks', () => {
    const { views } = ran(`${GUEST}block touch(a) { user read a  user write a }
run guest under ept {
  touch(0x40_0000)
  for i in 0..2 { touch(0x40_1000 + i * 4K) }
}
`);
    const { parts } = totals(views[0]);
    assert.deepEqual(
      parts.filter(({ part }) => part !== 'set-up').map(({ text, times, totals: each }) => [text, times, sum(each.exits)]),
      [
        ['user read a', 4, 8],
        ['user write a', 4, 0],
        ['block touch', 8, 8],
      ],
    );
  });

  it('are counted in slices', () => {
    const { views } = ran(`${GUEST}run guest under ept {\n  user read 0x40_0000 x 40_000 step 0\n}\n`);
    const steps = [...totalsInSteps(views[0])];
    assert.ok(steps.length > 1, `${views[0].record.length} rows`);
    assert.equal(sum(totals(views[0]).whole.events), views[0].steps.length);
  });
});

describe('expect total', () => {
  it('counts up to its point', () => {
    const { problems, views } = ran(`${GUEST}run guest under ept {
  expect total exits 0
  user read 0x40_0000
  expect total exits EPT_VIOLATION 5, total exits >= 5, total references 39, total kvm_page_fault <= 5, total kvm_stat pf_fixed 5
  user read 0x40_1000 expect total exits EPT_VIOLATION 6, total exits EPT_MISCONFIG 0, exits 1
}
`);
    assert.ok(problems.every(({ severity }) => severity === 'information'));
    const said = views[0].record.outcomes.flatMap(({ result }) =>
      result.kind === 'expectation' && !result.holds ? [`${result.expected}: ${result.got}`] : [],
    );
    assert.deepEqual(said, []);
  });

  it('says what there was, and the expectation that would hold', () => {
    const { views } = ran(
      `${GUEST}run guest under ept {\n  user read 0x40_0000\n  expect total exits EPT_VIOLATION 64, total kvm_stat pf_fixed 1\n}\n`,
    );
    const failed = views[0].record.outcomes.flatMap(({ result }) =>
      result.kind === 'expectation' ? [[result.expected, result.got, result.instead]] : [],
    );
    assert.deepEqual(failed, [
      ['total exits EPT_VIOLATION 64', '5', 'total exits EPT_VIOLATION 5'],
      ['total kvm_stat pf_fixed 1', '5', 'total kvm_stat pf_fixed 5'],
    ]);
  });

  it('knows its words', () => {
    const messages = (expectation: string): string[] =>
      ran(`${GUEST}run guest under ept {\n  user read 0x40_0000\n  expect total ${expectation}\n}\n`)
        .problems.filter(({ code }) => code !== 'mapped-to-no-slot')
        .map(({ message }) => message);
    assert.match(messages('exits EPT_VIOLATON 3').join(), /EPT_VIOLATON/);
    assert.match(messages('kvm_stat pf_fixd 3').join(), /pf_fixd/);
    assert.match(messages('kvm_exits 3').join(), /kvm_exits/);
    assert.match(messages('exits npf 3').join(), /AMD/);
    assert.deepEqual(messages('exits 5 from guest'), []);
  });
});
