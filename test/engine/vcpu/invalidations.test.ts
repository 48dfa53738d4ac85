import assert from 'node:assert/strict';
import { ACCESS_READ } from '../../../server/src/engine/journal/events';
import { FlushScope } from '../../../server/src/engine/journal/enumerations';
import { Journal } from '../../../server/src/engine/journal/journal';
import { PhysicalMemory } from '../../../server/src/engine/memory/physical-memory';
import { Load } from '../../../server/src/engine/vcpu/control-registers';
import { Context } from '../../../server/src/engine/vcpu/processor-context';
import { Outcome, Processor } from '../../../server/src/engine/vcpu/processor';
import { eptFormat, nptFormat, pagingFormat } from '../../../server/src/engine/x86/formats';
import { eventAt, type EventOf } from '../../../server/src/events/fields';
import { ALL_CACHES } from '../x86/subject';
import { GLOBAL, RWU, Tables, identityEpt, type Words } from './tables';

const FIRST = pagingFormat({ mode: '4-level', nxe: true, pse: true, pse36: true, page1G: true, maxPhyAddr: 46, amd: false });
const EPT = eptFormat({ levels: 4, accessedDirty: true, executeOnly: true, page1G: true, maxPhyAddr: 46 });
const NPT = nptFormat({ mode: '4-level', nxe: true, page1G: true, maxPhyAddr: 46 });

const LOCAL = 0x40_0000;
const NEAR = 0x40_1000;
const GLOBAL_PAGE = 0x80_0000;

type Page = 'local' | 'near' | 'global';
const ADDRESSES: { readonly [page in Page]: number } = { local: LOCAL, near: NEAR, global: GLOBAL_PAGE };

interface Space {
  readonly vpid: number;
  readonly pcid: number;
  /** 0: none; 1, 2: one of two EPT roots. */
  readonly root?: 0 | 1 | 2;
}

/** One processor on which address spaces of several VPIDs, PCIDs and EPT roots have been used. */
class Bench {
  readonly journal = new Journal();
  readonly memory = new PhysicalMemory(this.journal);
  readonly processor: Processor;
  private readonly context = new Context();

  constructor(
    private readonly spaces: readonly Space[],
    private readonly amd = false,
  ) {
    this.processor = new Processor(this.memory, amd, ALL_CACHES);
    const words: Words = new Map();
    for (const offset of [0n, 0x100_0000n]) {
      new Tables(words, 0x1000n, 0x2000n, (address) => address + offset)
        .map(BigInt(LOCAL), 0x8000n)
        .map(BigInt(NEAR), 0x9000n)
        .map(BigInt(GLOBAL_PAGE), 0xa000n, { flags: RWU | GLOBAL });
    }
    const flags = amd ? 7n : 0x37n;
    identityEpt(words, 0x100_0000n, { flags });
    const second: Words = new Map();
    identityEpt(second, 0x100_0000n, { flags });
    for (const [address, value] of words) this.memory.write(Number(address), Number(value & 0xffff_ffffn), Number(value >> 32n));
    // The other root: the same tables elsewhere.
    for (const [address, value] of second) {
      const moved = value + (address < 0x1000_3000n ? 0x1000_0000n : 0n);
      this.memory.write(Number(address) + 0x1000_0000, Number(moved & 0xffff_ffffn), 0);
    }
    for (const space of spaces) {
      this.run(space);
      for (const page of Object.keys(ADDRESSES) as Page[]) assert.equal(this.read(page), Outcome.ok);
    }
  }

  /** The processor runs in this space from now on. */
  run({ vpid, pcid, root = 0 }: Space): void {
    const { context } = this;
    context.first = FIRST;
    context.rootLo = 0x1000;
    context.globalPages = true;
    context.vpid = vpid;
    context.pcid = pcid;
    context.second = root === 0 ? null : this.amd ? NPT : EPT;
    context.secondRootLo = root * 0x1000_0000;
    this.processor.enter(context);
  }

  read(page: Page): Outcome {
    return this.processor.access(ADDRESSES[page], 0, ACCESS_READ);
  }

  /** What is cached, as `space:page`. */
  cached(): string[] {
    const found: string[] = [];
    for (const space of this.spaces) {
      this.run(space);
      for (const page of Object.keys(ADDRESSES) as Page[])
        if (this.processor.caches(ADDRESSES[page], 0)) found.push(`${nameOf(space)}:${page}`);
    }
    return found;
  }

  /** Entries that the next walk of a page reads. */
  walkOf(space: Space, page: Page): { first: number; second: number } {
    this.run(space);
    const { first, second } = this.processor;
    const before = { first: first.references, second: second.references };
    assert.equal(this.read(page), Outcome.ok);
    return { first: first.references - before.first, second: second.references - before.second };
  }
}

function nameOf({ vpid, pcid, root = 0 }: Space): string {
  return `v${vpid}p${pcid}${root === 0 ? '' : `e${root}`}`;
}

const A: Space = { vpid: 0, pcid: 1 };
const B: Space = { vpid: 0, pcid: 2 };
const G1: Space = { vpid: 1, pcid: 1, root: 1 };
const G2: Space = { vpid: 2, pcid: 1, root: 1 };
const H1: Space = { vpid: 1, pcid: 1, root: 2 };

/** Everything in the spaces but these. */
function without(spaces: readonly Space[], gone: readonly string[]): string[] {
  return spaces
    .flatMap((space) => (['local', 'near', 'global'] as const).map((page) => `${nameOf(space)}:${page}`))
    .filter((name) => !gone.includes(name));
}

describe('invalidation of cached translations', () => {
  describe('in one address space of linear mappings (mmu-semantics.md §2.10)', () => {
    const cases: [string, (processor: Processor) => void, string[]][] = [
      ['MOV CR3: the PCID, not globals', (p) => p.invalidations.apply(Load.flushNonGlobal), ['v0p1:local', 'v0p1:near']],
      ['MOV CR3 without flush: nothing', (p) => p.invalidations.apply(Load.done), []],
      ['INVLPG: the page in the PCID', (p) => p.invalidations.invlpg(LOCAL + 8, 0), ['v0p1:local']],
      ['INVLPG of a global page: in every PCID', (p) => p.invalidations.invlpg(GLOBAL_PAGE, 0), ['v0p1:global', 'v0p2:global']],
      ['INVLPG of an address that is not canonical: nothing', (p) => p.invalidations.invlpg(LOCAL, 0x8000), []],
      ['INVPCID 0: the page in that PCID', (p) => assert.ok(p.invalidations.invpcid(0, 2, LOCAL, 0)), ['v0p2:local']],
      ['INVPCID 0 spares global pages', (p) => assert.ok(p.invalidations.invpcid(0, 2, GLOBAL_PAGE, 0)), []],
      ['INVPCID 1: that PCID, not globals', (p) => assert.ok(p.invalidations.invpcid(1, 2, 0, 0)), ['v0p2:local', 'v0p2:near']],
      ['INVPCID 2: everything', (p) => assert.ok(p.invalidations.invpcid(2, 0, 0, 0)), without([A, B], [])],
      [
        'INVPCID 3: everything but globals',
        (p) => assert.ok(p.invalidations.invpcid(3, 0, 0, 0)),
        ['v0p1:local', 'v0p1:near', 'v0p2:local', 'v0p2:near'],
      ],
      ['CR4.PGE, CR4.PCIDE cleared, CR0.PG cleared: everything', (p) => p.invalidations.apply(Load.flushAll), without([A, B], [])],
      [
        'CR4.PAE, SMEP set: all of the PCID',
        (p) => p.invalidations.apply(Load.flushPcid),
        ['v0p1:local', 'v0p1:near', 'v0p1:global', 'v0p2:global'],
      ],
      ['VM entry or exit without VPID: VPID 0', (p) => p.invalidations.transition(), without([A, B], [])],
    ];
    for (const [name, operation, gone] of cases) {
      it(name, () => {
        const bench = new Bench([A, B]);
        assert.deepEqual(bench.cached(), without([A, B], []));
        bench.run(A);
        operation(bench.processor);
        assert.deepEqual(bench.cached(), without([A, B], gone));
      });
    }

    it('INVPCID with a wrong type, PCID or address: #GP', () => {
      const { invalidations } = new Bench([A]).processor;
      assert.equal(invalidations.invpcid(4, 0, 0, 0), false);
      assert.equal(invalidations.invpcid(1, 0x1000, 0, 0), false);
      assert.equal(invalidations.invpcid(0, 1, 0, 0x8000), false);
    });

    it('a #PF drops the page, and what leads to it', () => {
      const bench = new Bench([A, B]);
      bench.run(A);
      bench.memory.write(0x4000, 0, 0);
      bench.processor.invalidations.invlpg(LOCAL, 0);
      assert.equal(bench.read('local'), Outcome.pageFault);
      assert.ok(!bench.cached().includes('v0p1:local'));
    });
  });

  describe('with VPIDs and EPT roots (mmu-semantics.md §3.10)', () => {
    const spaces = [A, G1, G2, H1];
    const of = (space: Space): string[] => without([space], []);
    const cases: [string, Space, (processor: Processor) => void, string[]][] = [
      ['INVLPG in a guest: its VPID, under every EP4TA', G1, (p) => p.invalidations.invlpg(LOCAL, 0), ['v1p1e1:local', 'v1p1e2:local']],
      [
        'MOV CR3 in a guest: its VPID, under every EP4TA',
        G1,
        (p) => p.invalidations.apply(Load.flushNonGlobal),
        ['v1p1e1:local', 'v1p1e1:near', 'v1p1e2:local', 'v1p1e2:near'],
      ],
      ['INVVPID 0: an address of a VPID', A, (p) => assert.ok(p.invalidations.invvpid(0, 2, NEAR, 0)), ['v2p1e1:near']],
      ['INVVPID 1: a VPID', A, (p) => assert.ok(p.invalidations.invvpid(1, 1, 0, 0)), [...of(G1), ...of(H1)]],
      ['INVVPID 2: every VPID but 0', A, (p) => assert.ok(p.invalidations.invvpid(2, 0, 0, 0)), [...of(G1), ...of(G2), ...of(H1)]],
      ['INVVPID 3: a VPID but its globals', A, (p) => assert.ok(p.invalidations.invvpid(3, 2, 0, 0)), ['v2p1e1:local', 'v2p1e1:near']],
      ['INVEPT 1: one EP4TA, every VPID', A, (p) => p.invalidations.invept(1, 0x1_0000), [...of(G1), ...of(G2)]],
      ['INVEPT 2: every EP4TA', A, (p) => p.invalidations.invept(2, 0), [...of(G1), ...of(G2), ...of(H1)]],
      ['VM entry or exit without VPID: VPID 0', A, (p) => p.invalidations.transition(), of(A)],
    ];
    for (const [name, space, operation, gone] of cases) {
      it(name, () => {
        const bench = new Bench(spaces);
        assert.deepEqual(bench.cached(), without(spaces, []));
        bench.run(space);
        operation(bench.processor);
        assert.deepEqual(bench.cached(), without(spaces, gone));
      });
    }

    it('INVVPID of VPID 0 or of an address that is not canonical fails', () => {
      const { invalidations } = new Bench([A]).processor;
      assert.equal(invalidations.invvpid(1, 0, 0, 0), false);
      assert.equal(invalidations.invvpid(0, 1, 0, 0x8000), false);
    });
  });

  describe('of guest-physical mappings', () => {
    it('MOV CR3 and INVVPID leave them; the walk reads only guest entries', () => {
      const bench = new Bench([G1]);
      bench.run(G1);
      bench.processor.invalidations.apply(Load.flushAll);
      bench.processor.invalidations.invvpid(1, 1, 0, 0);
      assert.deepEqual(bench.walkOf(G1, 'local'), { first: 4, second: 0 });
    });

    it('they serve another VPID under the same root', () => {
      const bench = new Bench([G1]);
      assert.deepEqual(bench.walkOf(G2, 'local'), { first: 4, second: 0 });
    });

    it('INVEPT drops them and the structures of the second stage', () => {
      const bench = new Bench([G1]);
      bench.processor.invalidations.invept(1, 0x1_0000);
      // The first guest entry's page costs 4 references; the pages after it share the tables above their leaves.
      assert.deepEqual(bench.walkOf(G1, 'local'), { first: 4, second: 4 + 1 + 1 + 1 + 1 });
    });

    it('under AMD they carry the ASID and go with it', () => {
      const bench = new Bench([G1], true);
      assert.ok(bench.walkOf(G2, 'local').second > 0);
      bench.run(G1);
      bench.processor.invalidations.tlbControl(3, 1);
      assert.deepEqual(bench.walkOf(G1, 'local'), { first: 4, second: 8 });
    });
  });

  describe('on AMD', () => {
    const spaces = [G1, G2];
    const cases: [string, (processor: Processor) => void, string[]][] = [
      ['TLB_CONTROL 0: nothing', (p) => p.invalidations.tlbControl(0, 1), []],
      ['TLB_CONTROL 1: everything', (p) => p.invalidations.tlbControl(1, 1), without(spaces, [])],
      ['TLB_CONTROL 3: the ASID', (p) => p.invalidations.tlbControl(3, 1), without([G1], [])],
      ['TLB_CONTROL 7: the ASID but globals', (p) => p.invalidations.tlbControl(7, 1), ['v1p1e1:local', 'v1p1e1:near']],
      ['INVLPGA: a page of an ASID', (p) => p.invalidations.invlpga(GLOBAL_PAGE, 0, 2), ['v2p1e1:global']],
    ];
    for (const [name, operation, gone] of cases) {
      it(name, () => {
        const bench = new Bench(spaces, true);
        bench.run(G1);
        operation(bench.processor);
        assert.deepEqual(bench.cached(), without(spaces, gone));
      });
    }
  });

  describe('is an event that says what goes, around which address, and of whom', () => {
    const cases: [string, (invalidations: Processor['invalidations']) => void, [FlushScope, number, number]][] = [
      ['INVVPID 0: the VPID', (i) => i.invvpid(0, 2, NEAR, 0), [FlushScope.page, NEAR, 2]],
      ['INVVPID 1: the VPID', (i) => i.invvpid(1, 2, NEAR, 0), [FlushScope.all, 0, 2]],
      ['INVVPID 2: nobody', (i) => i.invvpid(2, 2, NEAR, 0), [FlushScope.allVpids, 0, 0]],
      ['INVVPID 3: the VPID', (i) => i.invvpid(3, 2, NEAR, 0), [FlushScope.allNonGlobal, 0, 2]],
      ['INVEPT 1: the root', (i) => i.invept(1, 0x1_0000), [FlushScope.eptContext, 0, 0x1_0000]],
      ['INVEPT 2: nobody', (i) => i.invept(2, 0x1_0000), [FlushScope.eptGlobal, 0, 0]],
      ['INVLPGA: the ASID', (i) => i.invlpga(NEAR, 0, 2), [FlushScope.page, NEAR, 2]],
      ['TLB_CONTROL 1: nobody', (i) => i.tlbControl(1, 2), [FlushScope.allVpids, 0, 0]],
      ['TLB_CONTROL 3: the ASID', (i) => i.tlbControl(3, 2), [FlushScope.all, 0, 2]],
      ['TLB_CONTROL 7: the ASID', (i) => i.tlbControl(7, 2), [FlushScope.allNonGlobal, 0, 2]],
      ['VM entry or exit without VPID: VPID 0', (i) => i.transition(), [FlushScope.all, 0, 0]],
    ];
    for (const [name, operation, said] of cases) {
      it(name, () => {
        const bench = new Bench([A, G1, G2]);
        const from = bench.journal.length;
        operation(bench.processor.invalidations);
        const events = Array.from({ length: bench.journal.length - from }, (_, i) => eventAt(bench.journal, from + i));
        const flushes = events.filter((event) => event?.name === 'tlb_flush') as EventOf<'tlb_flush'>[];
        assert.deepEqual(
          flushes.map(({ fields }) => [fields.scope, Number(fields.address), Number(fields.tag)]),
          [said],
        );
      });
    }

    it('not where it is refused', () => {
      const bench = new Bench([A, G1]);
      const from = bench.journal.length;
      for (const type of [0, 1, 3] as const) assert.equal(bench.processor.invalidations.invvpid(type, 0, NEAR, 0), false);
      assert.equal(bench.processor.invalidations.invvpid(0, 1, NEAR, 0x8000), false);
      bench.processor.invalidations.tlbControl(0, 1);
      assert.equal(bench.journal.length, from);
      assert.deepEqual(bench.cached(), without([A, G1], []));
    });
  });
});
