/** The journal alone is the whole truth: the state rebuilt from its rows is the machine's, and going back leads to nothing. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { Journal } from '../../../server/src/engine/journal/journal';
import { Space, SPACES } from '../../../server/src/engine/journal/spaces';
import { State } from '../../../server/src/engine/journal/state';
import { shadowPageAt } from '../../../server/src/engine/mmu/pages/shadow-page';
import { Machine } from '../../../server/src/engine/machine';
import type { Act, MmuKind, KvmOptions } from '../../../server/src/engine/program';
import { TagField, decodeTag } from '../../../server/src/engine/vcpu/tags';
import { LineField } from '../../../server/src/engine/vcpu/tlb-array';
import { access, type Bench } from './machines';
import { NESTED_KINDS, asNested, machineOf as nestedMachineOf } from './nested/nested-kinds';
import { actsOf, actsOfAll, machineFor, programs } from './random-programs';
import { programOf, worldPrograms } from './world-programs';
import { BUDGET, addressOf, anyWorld, layoutOf, machineOf, type World } from './worlds';

const KINDS: readonly (readonly [MmuKind, Partial<KvmOptions>])[] = [
  ['soft', {}],
  ['ept', { pml: true }],
  ['npt', {}],
  ['npt', { tdpMmu: false }],
];
const EVERY_SPACE = Object.keys(SPACES).map((space): Space => Number(space));

/** Memory that differs between a machine and the state of its journal. */
function differences(bench: Bench): string[] {
  const { physical } = bench.machine;
  const memory = new State(bench.journal).seek(bench.journal.length).space(Space.memory);
  const found: string[] = [];
  for (const frame of physical.framesInUse()) {
    for (let at = frame * 4096; at < (frame + 1) * 4096; at += 8) {
      if (memory.lo(at) !== physical.low(at) || memory.hi(at) !== physical.high(at)) found.push(at.toString(16));
    }
  }
  return found;
}

/** Lines and tags that differ between processors and the state of the journal, and those that the journal alone has. */
function cachedDifferences(machine: Machine, journal: Journal): string[] {
  const state = new State(journal).seek(journal.length);
  const [lines, tags] = [state.space(Space.tlb), state.space(Space.tlbTag)];
  const found: string[] = [];
  let [usedLines, usedTags] = [0, 0];
  for (const tlb of machine.tlbs) {
    for (const array of tlb.arrays) {
      usedLines += array.used;
      for (let line = 0; line < array.lines; line++) {
        const key = array.keys + line * SPACES[Space.tlb].key.step.line + LineField.key;
        const value = key - LineField.key + LineField.value;
        const recorded = [lines.lo(key), lines.hi(key), lines.lo(value), lines.hi(value)];
        const there = [array.key(line), array.keyHi(line), array.frame(line), array.frameHi(line)];
        if (recorded.some((word, i) => word !== there[i])) found.push(`line ${JSON.stringify(SPACES[Space.tlb].key.decode(key))}`);
      }
    }
    usedTags += tlb.tags.count;
    for (let tag = 1; tag <= tlb.tags.count; tag++) {
      const [space, root] = [TagField.space, TagField.root].map((field) =>
        SPACES[Space.tlbTag].key.encode({ processor: tlb.processor, tag, field }),
      );
      if (!isDeepStrictEqual(decodeTag(tags.lo(space), tags.lo(root), tags.hi(root)), tlb.tags.of(tag))) found.push(`tag ${tag}`);
    }
  }
  const recordedLines = [...lines.keys()].filter((key) => SPACES[Space.tlb].key.field(key, 'field') === (LineField.key as number));
  const recordedTags = [...tags.keys()].filter((key) => SPACES[Space.tlbTag].key.field(key, 'field') === (TagField.space as number));
  if (recordedLines.length !== usedLines) found.push(`${recordedLines.length} lines for ${usedLines}`);
  if (recordedTags.length !== usedTags) found.push(`${recordedTags.length} tags for ${usedTags}`);
  return found;
}

describe('the journal of a machine', function () {
  this.timeout(0);
  for (const [mmu, kvm] of KINDS) {
    it(`rebuilds memory, shadow pages, tracking and dirty logs under ${mmu}${kvm.tdpMmu === false ? ' (older direct MMU)' : ''}`, () => {
      fc.assert(
        fc.property(programs(20), (steps) => {
          const bench = machineFor(mmu, kvm);
          let root = 0;
          for (const step of steps) {
            if (step.step === 'root') root = step.which;
            for (const act of actsOf(step, root)) bench.machine.perform(act);
          }
          assert.deepEqual(differences(bench), []);
          const state = new State(bench.journal).seek(bench.journal.length);
          const pages = bench.machine.shadowPages(0);
          const recorded = [...state.space(Space.shadowPage).keys()]
            .filter((key) => key % 8 === 0)
            .map((key) => shadowPageAt(state.space(Space.shadowPage), key / 8));
          assert.equal(recorded.length, pages.length);
          for (const page of pages) {
            const record = shadowPageAt(state.space(Space.shadowPage), page.frame);
            assert.ok(record !== null);
            const { gfn, role, unsync, rootCount, flooding } = record;
            assert.deepEqual(
              [gfn, role, unsync, rootCount, flooding],
              [page.gfn, page.role, page.unsync, page.rootCount, page.floodingCount],
            );
          }
          for (const space of EVERY_SPACE) assert.equal(state.seek(0).space(space).size, 0, `space ${space} is empty at the beginning`);
        }),
        { numRuns: 25 },
      );
    });
  }
});

describe('the journal of what processors have cached', function () {
  this.timeout(0);

  it('rebuilds TLBs, paging-structure caches and their tags in worlds of every kind', () => {
    fc.assert(
      fc.property(anyWorld, worldPrograms(25), (world, steps) => {
        const { machine: config, acts, budget } = programOf({ ...world, tlb: true }, steps);
        const journal = new Journal();
        const machine = new Machine(config, journal, budget);
        for (const act of acts) machine.perform(act);
        assert.deepEqual(cachedDifferences(machine, journal), []);
        const beginning = new State(journal).seek(journal.length).seek(0);
        for (const space of EVERY_SPACE) assert.equal(beginning.space(space).size, 0, `space ${space} is empty at the beginning`);
      }),
      { numRuns: 50 },
    );
  });

  for (const kind of NESTED_KINDS.filter(({ tlb }) => tlb)) {
    it(`rebuilds them of a nested guest, ${kind.name}`, () => {
      fc.assert(
        fc.property(programs(20), (steps) => {
          const bench = nestedMachineOf(kind);
          let hostActs = 0;
          for (const { act } of actsOfAll(steps)) bench.machine.perform(asNested(act, 'vm' in act && hostActs++ % 2 === 0));
          assert.deepEqual(cachedDifferences(bench.machine, bench.journal), []);
        }),
        { numRuns: 5 },
      );
    });
  }

  it('has nothing of a look at whether flags of an entry can be set, which EPT without A/D may not allow as it is cached', () => {
    const world: World = { mmu: 'ept', paging: '4-level', tlb: true, vcpus: 2, kvm: { eptAd: false } };
    const journal = new Journal();
    const machine = new Machine(machineOf(world), journal, BUDGET);
    const at = (vcpu: number, what: 'read' | 'write', address: number): Act =>
      ({ ...access(what, BigInt(address), false, what === 'write' ? 1n : null), by: { vm: 0, vcpu } }) as Act;
    const log: Act = { do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false, origin: 0 };
    machine.perform(at(0, 'read', addressOf(world, 0)));
    machine.perform(log);
    // Caches what leads to the tables, without W; another vCPU makes that writable; then flags are to be set.
    machine.perform(at(0, 'read', addressOf(world, 0)));
    machine.perform({ do: 'store', by: { vm: 0, vcpu: 1 }, gpa: layoutOf('4-level').entry(7), size: 8, value: 0x20_7007n, origin: 0 });
    const { result } = machine.perform(at(0, 'read', addressOf(world, 7)));
    assert.equal(result.kind, 'ok');
    assert.deepEqual(cachedDifferences(machine, journal), []);
  });
});
