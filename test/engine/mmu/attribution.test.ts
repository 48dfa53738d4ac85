/**
 * A change belongs to what caused it: after every event stand only changes that it may make, over all samples and random programs of
 * every kind. The faults that once were, one by one.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { eventAtRow, misplaced } from '../../../server/src/engine/journal/attribution';
import { eventOfKind } from '../../../server/src/engine/journal/event-table';
import { Actor, Kind } from '../../../server/src/engine/journal/events';
import { Journal, ROW_WORDS } from '../../../server/src/engine/journal/journal';
import { Space } from '../../../server/src/engine/journal/spaces';
import { State, isChange, keyAt, spaceAt, type Rows } from '../../../server/src/engine/journal/state';
import { shadowPageAt } from '../../../server/src/engine/mmu/pages/shadow-page';
import type { Act, KvmOptions, MmuKind } from '../../../server/src/engine/program';
import { execute } from '../../../server/src/run/execute';
import { runScript } from '../../../server/src/api/engine';
import { openScript } from '../../../server/src/api/language';
import { BY, Bench, SETUP_E, access, slot } from './machines';
import { NESTED_KINDS, asNested, machineOf } from './nested/nested-kinds';
import { L1, L2, NestedBench } from './nested/nested-machines';
import { senselessAct, senselessMachine } from './nested/senseless-programs';
import { actsOfAll, machineFor, programs, type Step } from './random-programs';
import { programOf, worldPrograms } from './world-programs';
import { anyWorld } from './worlds';

/** Programs a property; more when asked for. */
const RUNS = Number(process.env.ATTRIBUTION_RUNS ?? 25);
/** Other programs each time; those of a failure by the seed that it names. */
const SEED = process.env.ATTRIBUTION_SEED === undefined ? {} : { seed: Number(process.env.ATTRIBUTION_SEED) };

const kindAt = ({ words }: Rows, row: number): Kind => words[row * ROW_WORDS] & 0xff;

/** Row of the event that each change row belongs to. */
function* changesOf(rows: Rows): Generator<{ readonly row: number; readonly event: number }> {
  let event = -1;
  for (let row = 0; row < rows.length; row++) {
    if (isChange(rows.words, row)) yield { row, event };
    else if (kindAt(rows, row) !== Kind.more) event = eventAtRow(rows, row);
  }
}

/** Words of the host's tables that change with events that change none, and other words that change with events that change sptes alone. */
function strayWords(rows: Rows): string[] {
  const state = new State(rows);
  const found: string[] = [];
  for (const { row, event } of changesOf(rows)) {
    if (spaceAt(rows.words, row) !== Space.memory) continue;
    const { changes, name } = eventOfKind(kindAt(rows, event))!;
    if (changes.includes('memory') && changes.includes('sptes')) continue;
    const table = shadowPageAt(state.seek(row).space(Space.shadowPage), Math.floor(keyAt(rows.words, row) / 4096)) !== null;
    if (table !== changes.includes('sptes')) found.push(`row ${row}: ${table ? 'an spte' : 'memory'} by ${name}`);
  }
  return found;
}

function assertPlaced(rows: Rows): void {
  assert.deepEqual(misplaced(rows), []);
  assert.deepEqual(strayWords(rows), []);
}

const KINDS: readonly (readonly [MmuKind, Partial<KvmOptions>])[] = [
  ['soft', {}],
  ['soft', { unsync: false, prefetch: false }],
  ['soft', { kernel: '6.12' }],
  ['ept', {}],
  ['ept', { pml: true }],
  ['ept', { tdpMmu: false, eptAd: false }],
  ['npt', {}],
  ['npt', { tdpMmu: false }],
];

describe('changes stand with the events that make them', function () {
  this.timeout(0);

  for (const name of readdirSync('samples', { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.mmu'))) {
    it(`in ${name}`, () => {
      const path = join('samples', name);
      const script = openScript(readFileSync(path, 'utf8'), pathToFileURL(path).href, {
        read: (each) => readFileSync(new URL(each), 'utf8'),
      });
      for (const { record } of runScript(script, {})) assertPlaced(record);
    });
  }

  it('in worlds of every kind', () => {
    fc.assert(
      fc.property(anyWorld, worldPrograms(25), (world, steps) => assertPlaced(execute(programOf(world, steps), {}))),
      { numRuns: 2 * RUNS, ...SEED },
    );
  });

  for (const [mmu, kvm] of KINDS) {
    it(`in random programs under ${mmu} ${JSON.stringify(kvm)}`, () => {
      fc.assert(
        fc.property(programs(30), (steps) => {
          const bench = machineFor(mmu, kvm);
          for (const { act } of actsOfAll(steps)) bench.machine.perform(act);
          assertPlaced(bench.journal);
        }),
        { numRuns: RUNS, ...SEED },
      );
    });
  }

  for (const kind of NESTED_KINDS) {
    it(`in random programs of a nested guest, ${kind.name}`, () => {
      fc.assert(
        fc.property(programs(25), (steps) => {
          const bench = machineOf(kind);
          let hostActs = 0;
          for (const { act } of actsOfAll(steps)) bench.machine.perform(asNested(act, 'vm' in act && hostActs++ % 2 === 0));
          assertPlaced(bench.journal);
        }),
        { numRuns: Math.ceil(RUNS / 10), ...SEED },
      );
    });
  }

  it('in programs without sense for nested guests', () => {
    fc.assert(
      fc.property(senselessMachine, fc.array(senselessAct, { minLength: 5, maxLength: 20 }), (nested, acts) => {
        const bench = new NestedBench(nested);
        for (const each of acts) bench.machine.perform(each);
        assertPlaced(bench.journal);
      }),
      { numRuns: 2 * RUNS, ...SEED },
    );
  });

  it('and one that does not is found', () => {
    const journal = new Journal();
    journal.change(Space.memory, 0x1000, 1, 0);
    journal.row(Kind.kvm_exit, 0, 0, 0, 0, 0, 0);
    journal.change(Space.register, 3, 1, 0);
    journal.row(Kind.kvm_entry, 0, 0, 0, 0, 0, 0);
    journal.change(Space.register, 3, 2, 0);
    assert.deepEqual(misplaced(journal), [
      { row: 0, space: 'memory', key: 0x1000, event: null },
      { row: 2, space: 'register', key: 3, event: 'kvm_exit' },
    ]);
  });
});

/** Who made changes of a space in what an act did: `L1 value`, in order, each once. */
function makers(bench: { readonly journal: Journal }, from: number, space: Space, key?: (key: number) => boolean): string[] {
  const { journal } = bench;
  const found = new Set<string>();
  for (const { row, event } of changesOf(journal)) {
    if (row < from || spaceAt(journal.words, row) !== space || (key && !key(keyAt(journal.words, row)))) continue;
    const head = journal.words[event * ROW_WORDS];
    found.add(`${Actor[(head >> 8) & 15]} ${Kind[head & 0xff]}`);
  }
  return [...found];
}

const store = (gpa: number, value: bigint): Act => ({ do: 'store', by: BY, gpa, size: 8, value, origin: 0 });

describe("a guest's store is an event of the guest", () => {
  const UNDER: readonly MmuKind[] = ['soft', 'ept', 'npt'];
  /** PTEs of 0x40_0000 and 0x40_2000 in setup E, and a page of no table. */
  const PTE = 0x4000;
  const DATA = 0x20_0000;

  for (const mmu of UNDER) {
    it(`when it writes data, under ${mmu}`, () => {
      const bench = new Bench({ mmu });
      bench.write(0x40_0000n, 1n);
      const from = bench.journal.length;
      bench.write(0x40_0000n, 2n);
      bench.rmw(0x40_0008n, 3n);
      assert.deepEqual(makers(bench, from, Space.memory), ['L1 value']);
    });

    it(`when it edits its tables, under ${mmu}`, () => {
      const bench = new Bench({ mmu });
      bench.read(0x40_0000n);
      for (const value of [0x7007n, 0x8007n]) {
        const from = bench.journal.length;
        bench.machine.perform(store(PTE, value));
        assert.equal(bench.word(PTE), value);
        const at = bench.machine.hpaOf(0, PTE);
        assert.deepEqual(
          makers(bench, from, Space.memory, (key) => key === at),
          ['L1 value'],
        );
      }
    });

    it(`when it stores where its tables map nothing, under ${mmu}`, () => {
      const bench = new Bench({ mmu });
      bench.read(0x40_0000n);
      const from = bench.journal.length;
      bench.machine.perform(store(DATA, 0x1234n));
      const at = bench.machine.hpaOf(0, DATA);
      assert.deepEqual(
        makers(bench, from, Space.memory, (key) => key === at),
        ['L1 value'],
      );
    });
  }

  it('but of the emulator when it writes a table that is write-protected', () => {
    const bench = new Bench({ mmu: 'soft' });
    bench.read(0x40_0000n);
    const from = bench.journal.length;
    bench.machine.perform(store(0x3010, 0x4067n));
    const at = bench.machine.hpaOf(0, 0x3010);
    assert.deepEqual(
      makers(bench, from, Space.memory, (key) => key === at),
      ['L0 kvm_mmu_pte_write'],
    );
  });

  it('after the VM entry that follows kvm_mmu_unsync_page', () => {
    const bench = new Bench({ mmu: 'soft' });
    bench.read(0x40_0000n);
    const from = bench.journal.length;
    bench.machine.perform(store(PTE, 0x7007n));
    const kinds = Array.from({ length: bench.journal.length - from }, (_, i) => Kind[kindAt(bench.journal, from + i)]);
    const places = ['kvm_mmu_unsync_page', 'kvm_entry', 'value'].map((kind) => kinds.lastIndexOf(kind));
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.ok(places[0] >= 0);
  });

  for (const { name, ...kind } of NESTED_KINDS) {
    it(`in a nested guest: of L2 its own, of L1 those to tables for L2, under ${name}`, () => {
      const bench = machineOf({ name, ...kind });
      const write = { ...access('write', 0x40_0000n, true, 5n), by: L2 } as Act;
      bench.machine.perform(write);
      const from = bench.journal.length;
      bench.machine.perform(write);
      bench.machine.perform({ ...access('write', 0x40_0008n, true, 6n), by: L2 } as Act);
      const written = makers(bench, from, Space.memory);
      assert.ok(written.includes('L2 value'), written.join());
      // Tables of L1 for L2, in L1's memory, are written by L1 or, where L0 write-protects them, by the emulator for it.
      const state = new State(bench.journal);
      for (const { row, event } of changesOf(bench.journal)) {
        if (spaceAt(bench.journal.words, row) !== Space.memory) continue;
        const hpa = keyAt(bench.journal.words, row);
        const gpa = [...gpasOf(bench, hpa)].find((each) =>
          shadowPageAt(state.seek(row).space(Space.shadowPage), Math.floor(each / 4096), 1),
        );
        if (gpa === undefined) continue;
        const head = bench.journal.words[event * ROW_WORDS];
        const who = `${Actor[(head >> 8) & 15]} ${Kind[head & 0xff]}`;
        assert.ok(
          ['L1 value', 'L0 kvm_mmu_pte_write', 'processor table_write', 'L0 kvm_mmu_set_accessed_bit', 'L0 kvm_mmu_set_dirty_bit'].includes(
            who,
          ),
          who,
        );
      }
    });
  }

  it('of an L1 that the script plays: its control structure, and tables for its guest', () => {
    for (const l1 of ['ept', 'npt'] as const) {
      const bench = new NestedBench({ l2: l1, l1, hypervisor: 'script', control: { root: 0x2_0000, vpid: 1 } });
      const from = bench.journal.length;
      bench.store(0x2_0000, 0x2_1907n);
      const at = bench.machine.hpaOf(0, 0x2_0000);
      assert.deepEqual(
        makers(bench, from, Space.memory, (key) => key === at),
        ['L1 value'],
      );
      const next = bench.journal.length;
      bench.do({ do: 'vmcs', by: L1, guest: 1, field: 'cr3', value: 0x3000n, origin: 0 });
      const written = makers(bench, next, Space.register, (key) => key !== undefined);
      assert.ok(
        written.some((who) => who.endsWith('control_write')),
        written.join(),
      );
      if (l1 === 'npt') assert.ok(makers(bench, next, Space.memory).includes('L1 value'), 'VMCB in memory');
    }
  });
});

/** Guest-physical addresses of L1 behind a host-physical one. */
function* gpasOf(bench: NestedBench, hpa: number): Generator<number> {
  const base = bench.machine.hpaOf(0, 0);
  if (base !== null && hpa >= base && hpa < base + 0x100_0000) yield hpa - base;
}

describe('a table that is made anew where something stood', () => {
  const FRAMES = { start: 0x2_0000, end: 0x4_0000 };

  for (const kind of NESTED_KINDS) {
    it(`is emptied by stores of the L1 whose table it is, before its first VM entry too, under ${kind.name}`, () => {
      const bench = machineOf(kind);
      for (let gpa = FRAMES.start + 8; gpa < FRAMES.end; gpa += 0x1000) bench.store(gpa, 0x5a5an);
      const from = bench.journal.length;
      bench.read(0x40_0000n);
      assertPlaced(bench.journal);
      const [first, end] = [FRAMES.start, FRAMES.end].map((gpa) => bench.machine.hpaOf(0, gpa)!);
      const written = makers(bench, from, Space.memory, (key) => key >= first && key < end && key % 4096 === 8);
      assert.ok(written.includes('L1 value'), written.join());
    });
  }
});

describe('what a hypervisor in a guest keeps of its shadow pages', () => {
  const read: Step = { step: 'access', kind: 'read', page: 0, offset: 0, user: false, value: 0 };
  const PROGRAM: readonly Step[] = [
    read,
    { step: 'wp', on: false },
    read,
    { step: 'directory', flags: 0, table: 0 },
    { step: 'root', which: 0 },
  ];

  for (const kind of NESTED_KINDS) {
    it(`belongs to its event, though it has stored to a table in between, under ${kind.name}`, () => {
      const bench = machineOf(kind);
      for (const { act } of actsOfAll(PROGRAM)) bench.machine.perform(asNested(act, false));
      assertPlaced(bench.journal);
    });
  }
});

describe('tables of the TDP MMU that go because a huge page can come back', () => {
  for (const mmu of ['ept', 'npt'] as const) {
    it(`are taken out by one event, which goes on after the flush, under ${mmu}`, () => {
      const backing = { pageSize: 0x20_0000, populated: true };
      const bench = new Bench({
        mmu,
        slots: [slot(0, 0, 0x40_0000, { backing })],
        words: { 0x1000: 0x2067n, 0x2000: 0x3067n, 0x3010: 0xe7n },
      });
      const log = (logDirty: boolean): Act => ({ do: 'slot-flags', vm: 0, id: 0, logDirty, readonly: false, origin: 0 });
      bench.do(log(true));
      bench.write(0x40_0000n, 1n);
      const from = bench.journal.length;
      bench.do(log(false));
      assertPlaced(bench.journal);
      assert.deepEqual(makers(bench, from, Space.memory), ['L0 kvm_tdp_mmu_spte_changed']);
    });
  }
});

describe('flags in tables are set', () => {
  it("by the processor's walk where it walks them, each entry by a row of its own", () => {
    const bench = new Bench({ mmu: 'ept' });
    const from = bench.journal.length;
    bench.write(0x40_0000n, 1n);
    assert.deepEqual(
      makers(bench, from, Space.memory).filter((who) => who.startsWith('processor')),
      ['processor table_write'],
    );
    const pte = bench.machine.hpaOf(0, 0x4000);
    assert.deepEqual(
      makers(bench, from, Space.memory, (key) => key === pte),
      ['processor table_write'],
    );
  });

  it("by KVM's walker where it walks the guest's", () => {
    const bench = new Bench({ mmu: 'soft' });
    const from = bench.journal.length;
    bench.write(0x40_0000n, 1n);
    const [pde, pte] = [0x3010, 0x4000].map((gpa) => bench.machine.hpaOf(0, gpa));
    assert.deepEqual(
      makers(bench, from, Space.memory, (key) => key === pde),
      ['L0 kvm_mmu_set_accessed_bit'],
    );
    assert.deepEqual(
      makers(bench, from, Space.memory, (key) => key === pte),
      ['L0 kvm_mmu_set_dirty_bit'],
    );
  });
});

describe('registers are loaded', () => {
  it('by VM entry, not by the exit before it', () => {
    const bench = new Bench({ mmu: 'soft' });
    bench.read(0x40_0000n);
    const from = bench.journal.length;
    bench.load('cr3', 0x2000n);
    const { journal } = bench;
    for (const { row, event } of changesOf(journal)) {
      if (row < from || spaceAt(journal.words, row) !== Space.register) continue;
      assert.ok([Kind.kvm_cr, Kind.kvm_entry].includes(kindAt(journal, event)), Kind[kindAt(journal, event)]);
    }
    assert.deepEqual(makers(bench, from, Space.register), ['L0 kvm_cr', 'L0 kvm_entry']);
  });

  it('by the guest itself where nothing intercepts it, with what stands in hardware', () => {
    const bench = new Bench({ mmu: 'ept' });
    bench.read(0x40_0000n);
    const from = bench.journal.length;
    bench.load('cr3', 0x2000n);
    assert.deepEqual(makers(bench, from, Space.register), ['L1 register_load']);
  });

  it('CR2 by the fault that is delivered', () => {
    const cr2 = (mmu: MmuKind): string[] => {
      const bench = new Bench({ mmu });
      const from = bench.journal.length;
      bench.read(0x7000_0000n);
      return makers(bench, from, Space.register, (key) => key % 128 === 1);
    };
    assert.deepEqual(cr2('soft'), ['L0 kvm_inj_exception']);
    assert.deepEqual(cr2('ept'), ['processor guest_fault']);
  });

  it("of a guest's guest by the nested VM entry", () => {
    const bench = new NestedBench({ l2: 'ept', l1: 'ept' });
    bench.read(0x40_0000n);
    const nested = makers(bench, 0, Space.register, (key) => Math.floor(key / 128) % 2 === 1);
    assert.deepEqual(nested, ['L0 kvm_nested_vmenter', 'L0 kvm_entry']);
  });
});

it('SETUP_E has the entries that these tests name', () => {
  assert.deepEqual([SETUP_E[0x3010], SETUP_E[0x4000]], [0x4007n, 0x5007n]);
});
