import { strict as assert } from 'node:assert';
import { ACCESS_USER, ACCESS_WRITE, Kind } from '../../server/src/engine/journal/events';
import { ftrace } from '../../server/src/export/ftrace';
import type { TableWalk, TranslationView } from '../../server/src/protocol/translation';
import { stepDetail } from '../../server/src/views/detail';
import { kindAt } from '../../server/src/events/fields';
import { runInfo } from '../../server/src/views/info';
import { controlAccessesFrom, nestedExits, nestedExitsText } from '../../server/src/views/nested-exits';
import { translationMarkdown, translationText } from '../../server/src/views/translation-text';
import type { RunView } from '../../server/src/views/view';
import { translate } from '../../server/src/views/way/way';
import { HH, HH_NPT, L1, L2, SH, SS, nestedRun } from './nested-runs';
import type { NestedKinds } from './nested-runs';

const ADDRESS = 0x40_0123n;

const runs = new Map<NestedKinds, RunView>();
/** L2's two reads; the same run for all that ask. */
function run(kinds: NestedKinds): RunView {
  let view = runs.get(kinds);
  if (!view) runs.set(kinds, (view = nestedRun(kinds)));
  return view;
}

const atEnd = (view: RunView, address = ADDRESS, by = L2): TranslationView =>
  translate(view, { position: view.record.length, ...by }, address, 'gva');

/** The walk of one kind of table, that of the page beneath another one included. */
const walkBy = ({ walks }: TranslationView, table: string): TableWalk =>
  walks.flatMap((walk) => [walk, ...(walk.then ? [walk.then] : [])]).find((walk) => walk.table === table)!;

/** Its entries: `PML4[0]`, … */
const entries = (way: TranslationView, table: string): string[] =>
  walkBy(way, table).entries.map(({ label, index }) => `${label}[${index}]`);

const ends = (way: TranslationView, table: string): string | undefined => walkBy(way, table).to?.address;

describe('the way of an address of L2', () => {
  for (const [name, kinds] of Object.entries({ SS, SH, HH, HH_NPT })) {
    it(`reaches the same bytes through slots as through the tables in hardware: ${name}`, () => {
      const way = atEnd(run(kinds));
      assert.deepEqual(
        way.stations.map(({ space }) => space),
        ['NGVA', 'NGPA', 'GPA', 'HVA', 'HPA'],
      );
      assert.equal(way.space, 'ngva');
      const [, ngpa, gpa, , hpa] = way.stations.map(({ address }) => address);
      assert.equal(ends(way, 'PT2'), ngpa);
      const second = kinds.l1.toUpperCase();
      const inHardware = { SS: 'SPT02', SH: 'EPT01g', HH: 'EPT02', HH_NPT: 'NPT02' }[name]!;
      const ofL1 = { SS: 'SPT12', SH: 'SPT12', HH: 'EPT12', HH_NPT: 'NPT12' }[name]!;
      assert.equal(ends(way, inHardware), hpa);
      assert.equal(ends(way, ofL1), gpa);
      assert.deepEqual(entries(way, 'PT2'), ['PML4[0]', 'PDPT[0]', 'PD[2]', 'PT[0]']);
      if (kinds.l1 !== 'soft') assert.equal(entries(way, inHardware)[0], `${second}4[0]`);
      assert.equal(way.now?.kind, 'ok');
      assert.deepEqual(way.notes, ['user rwx, supervisor rwx']);
    });
  }

  it('goes through L1 tables in software, and through those of L0 in hardware', () => {
    const tables = (kinds: NestedKinds): string[] =>
      atEnd(run(kinds)).walks.map(({ table, owner, by, then }) => `${table} of ${owner} by ${by}${then ? `, ${then.table}` : ''}`);
    assert.deepEqual(tables(SS), ['PT2 of L2 by L1', 'SPT12 of L1 by L0', 'SPT02 of L0 by processor']);
    assert.deepEqual(tables(SH), ['PT2 of L2 by L1', 'SPT12 of L1 by processor, EPT01g']);
    assert.deepEqual(tables(HH), ['PT2 of L2 by processor, EPT02', 'EPT12 of L1 by L0', 'EPT01 of L0 by null']);
  });

  it('has slots and pages between the addresses that they lead from and to', () => {
    for (const kinds of [SS, SH, HH, HH_NPT]) {
      const { stations } = atEnd(run(kinds));
      assert.deepEqual(
        stations.map(({ links }) => links.map(({ label }) => label)),
        [[], ['PT2'], ['L1 slot 0', 'L1 page of 4K'], ['L0 slot 0'], ['L0 page of 4K']],
      );
      for (const [i, { links, address }] of stations.entries()) {
        if (i === 0) continue;
        assert.equal(links[0].from.address, stations[i - 1].address);
        assert.equal(links.at(-1)!.to, address);
      }
    }
  });

  it('has the entries of what hardware walks translated by the tables beneath', () => {
    const via = (kinds: NestedKinds, table: string): (string | undefined)[] =>
      walkBy(atEnd(run(kinds)), table).entries.map((entry) => entry.via?.table);
    assert.deepEqual(via(HH, 'PT2'), ['EPT02', 'EPT02', 'EPT02', 'EPT02']);
    assert.deepEqual(via(SH, 'SPT12'), ['EPT01g', 'EPT01g', 'EPT01g', 'EPT01g']);
    assert.deepEqual(via(SH, 'PT2'), [undefined, undefined, undefined, undefined]);
    assert.deepEqual(via(SS, 'PT2'), [undefined, undefined, undefined, undefined]);
  });

  it('says what is missing, and who gets the exit', () => {
    const before = translate(run(HH), { position: run(HH).record.outcomes[0].from, ...L2 }, ADDRESS, 'gva');
    assert.equal(before.now, null);
    assert.ok(before.notes.includes('no EPT02 yet'));
    const exit = (kinds: NestedKinds): string => `${atEnd(run(kinds), 0x40_1000n).now!.what}: ${atEnd(run(kinds), 0x40_1000n).now!.why}`;
    assert.equal(exit(HH), 'EPT violation: EPT02 EPT1[6] is not present');
    assert.equal(exit(HH_NPT), 'nested page fault: NPT02 NPT1[6].P = 0');
    assert.equal(exit(SS), 'exit #PF(U): SPT02 PT[1].P = 0');
    assert.equal(exit(SH), 'exit #PF(U): SPT12 PT[1].P = 0');
    assert.match(atEnd(run(HH), 0x40_1000n).outcome, /^→ hpa 0x1040_6000 · exits first: EPT violation/);
  });

  it('is judged by the rights of its own tables', () => {
    const view = run(HH);
    const way = translate(view, { position: view.record.length, ...L2 }, 0x40_1000n, 'gva', ACCESS_USER | ACCESS_WRITE);
    assert.equal(way.outcome, '#PF(P W U): PT2 PT[1].R/W = 0, user write');
  });

  it('knows the cached translation under the tags of L2', () => {
    for (const kinds of [SS, SH, HH, HH_NPT]) {
      const view = run(kinds);
      const hpa = atEnd(view).stations.at(-1)!.address;
      const { tlb } = view.record.program.machine.host;
      assert.equal(atEnd(view).cached?.text.split('→ ')[1], tlb.on ? `hpa ${hpa}` : undefined);
    }
  });

  it('is written table by table, slots before hardware', () => {
    const heads = translationText(atEnd(run(SH))).filter((line) => /^[A-Za-z]/.test(line));
    assert.deepEqual(heads, [
      "PT2, L2's own tables, walked by L1",
      'memory slots and host memory',
      "SPT12, L1's tables for L2, in hardware",
      "EPT01g, L0's tables for L1's memory while L2 runs, in hardware",
    ]);
    assert.match(translationMarkdown(atEnd(run(HH))), /^NGVA `0x40_0123` → NGPA `0x5123` → GPA `0x40_5123` → HVA `0x7f00_0040_5123` → HPA/);
  });

  it('is, for L1, by L0 tables for L1', () => {
    const way = atEnd(run(HH), 0x40_5000n, L1);
    assert.deepEqual([way.space, way.stations.map(({ space }) => space)], ['gva', ['GVA', 'GPA', 'HVA', 'HPA']]);
    assert.equal(entries(way, 'EPT01')[0], 'EPT4[0]');
  });
});

describe('exits of a VM in a VM', () => {
  it('are told apart by who left, and by what handing them to L1 cost', () => {
    const of = (kinds: NestedKinds): ReturnType<typeof nestedExits> => {
      const { from, to } = run(kinds).record.outcomes[0];
      return nestedExits(run(kinds), from, to);
    };
    // §7.8: this one, eight VMREADs, four VMWRITEs, VMRESUME; more where L1's memory or tables are not there or protected.
    const hh = of(HH)!;
    assert.equal(hh.fromL2, 10);
    assert.equal(hh.reflected.length, 5);
    assert.equal(Math.min(...hh.reflected.map(({ exits }) => exits)), 14);
    assert.ok(hh.reflected.every(({ reason }) => reason === 'EPT_VIOLATION'));
    assert.equal(
      hh.fromL2 + hh.fromL1,
      run(HH).record.outcomes[0].exits.reduce((sum, { count }) => sum + count, 0),
    );
    // On AMD no control structure is read by exits: L2's exit, a store to a protected table, VMRUN.
    assert.equal(Math.min(...of(HH_NPT)!.reflected.map(({ exits }) => exits)), 3);
    assert.deepEqual(
      of(SS)!.reflected.map(({ reason }) => reason),
      ['EXCEPTION_NMI'],
    );
    assert.match(nestedExitsText(hh), /^10 exits of L2, 5 handed to L1 \(14 to \d+ exits each until L2 ran again\); \d+ exits of L1$/);
    const { from, to } = run(HH).record.outcomes[1];
    assert.equal(nestedExitsText(nestedExits(run(HH), from, to)!), '');
  });

  it('are in the lanes of those who act', () => {
    const { actors } = runInfo(run(HH), { runId: '', uri: '', version: 0, index: 0, until: null });
    assert.deepEqual(actors, ['L2', 'L1', 'L0', 'processor', 'user']);
    const rows = run(HH).steps.rows(0, run(HH).steps.length);
    const texts = (event: string): Set<string> =>
      new Set(rows.filter((row) => row.event === event).map(({ actor, text }) => `${actor}: ${text.split(',')[0]}`));
    assert.deepEqual(texts('kvm_entry'), new Set(['L0: into L1', 'L1: into L2', 'L0: into L2']));
    assert.ok(rows.some(({ event, text }) => event === 'kvm_mmu_pagetable_walk' && /in L1's EPT/.test(text)));
    assert.ok(rows.some(({ event, text }) => event === 'kvm_mmu_paging_element' && /^EPT1 entry .*\(R W X MT=6/.test(text)));
  });

  it('of L1 reading its control structure are one line', () => {
    const { steps, record } = run(HH);
    const rows = steps.rows(0, steps.length);
    const first = rows.findIndex(({ text }) => /VMREAD/.test(text));
    const folded = controlAccessesFrom(run(HH), first, steps.length)!;
    assert.equal(folded.row.text, 'from L1 · 8 × VMREAD, 4 × VMWRITE, each followed by its entry');
    assert.equal(folded.next, first + 24);
    assert.equal(kindAt(record, steps.rowOf(folded.next)), Kind.kvm_exit);
    assert.equal(controlAccessesFrom(run(HH), folded.next, steps.length), null);
  });

  it('stand in the trace of the kernel that has them', () => {
    const lines = [...ftrace([run(HH_NPT)])].filter((line) => !line.startsWith('#'));
    const kernels = (event: string): Set<string> =>
      new Set(lines.filter((line) => line.includes(`: ${event}:`)).map((line) => line.trim().slice(0, 3)));
    assert.deepEqual(kernels('kvm_exit'), new Set(['npt', 'L1/']));
    assert.deepEqual(kernels('kvm_nested_vmexit'), new Set(['npt']));
    assert.deepEqual(kernels('kvm_nested_vmenter'), new Set(['npt']));
    // L1 has no paging: 32-bit code stores its 64-bit entries.
    assert.ok(lines.some((line) => /kvm_emulate_insn: 0:ff000000:0f 7f 03 \(prot32\)$/.test(line)));
  });
});

it('an exit of L2 is told apart from what L1 sees of it', () => {
  const view = run(HH);
  const texts = (name: string): string[] =>
    view.steps.rows(0, view.steps.length).flatMap(({ event, text }) => (event === name ? [text] : []));
  assert.ok(texts('kvm_nested_vmexit').every((text) => text.startsWith("L0's raw exit from L2 · EPT_VIOLATION")));
  assert.ok(texts('kvm_nested_vmexit_inject').every((text) => text.startsWith('what L1 sees · EPT_VIOLATION')));
  assert.ok(texts('kvm_nested_vmexit_inject').length > 0);
});

describe('changes of a VM in a VM', () => {
  const whats = (kinds: NestedKinds): Set<string> => {
    const said = new Set<string>();
    const view = run(kinds);
    for (let step = 0; step < view.steps.length; step++) {
      for (const { what } of stepDetail(view, step)!.changes) said.add(what.replace(/0x[0-9a-f_]+|\[\d+\]/g, '#'));
    }
    return said;
  };

  it('name whose tables and control structures they are in', () => {
    const hh = whats(HH);
    for (const what of [
      'EPT12 PT# of gfn #',
      'EPT02 PT# of gfn #',
      'EPT01 PT# of gfn #',
      'vmcs12 EPTP',
      'vmcs01 EPTP',
      'vmcs02 EPTP',
      'l2 PT# at ngpa #',
    ])
      assert.ok(hh.has(what), `${what} in ${[...hh].join(' | ')}`);
    const ss = whats(SS);
    for (const what of ['SPT12 PT# of gfn #', 'SPT02 PT# of gfn #', 'SPT01 PT# of gfn #', 'l2 PML4# at ngpa #'])
      assert.ok(ss.has(what), `${what} in ${[...ss].join(' | ')}`);
  });

  it('show the way of the address that L1 itself accesses', () => {
    const view = run(SS);
    const rows = view.steps.rows(0, view.steps.length);
    const own = rows.find(({ actor, event }) => actor === 'L1' && event === 'access')!;
    const { ways } = stepDetail(view, own.step)!;
    assert.equal(ways?.before.space, 'gva');
    assert.equal(ways?.before.stations[0].address, own.address);
  });
});
