import assert from 'node:assert/strict';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, ACCESS_WRITE, Kind } from '../../../server/src/engine/journal/events';
import { Space, SPACES } from '../../../server/src/engine/journal/spaces';
import { Journal, ROW_WORDS } from '../../../server/src/engine/journal/journal';
import { State } from '../../../server/src/engine/journal/state';
import { PhysicalMemory } from '../../../server/src/engine/memory/physical-memory';
import type { TlbConfig } from '../../../server/src/engine/program';
import { Context } from '../../../server/src/engine/vcpu/processor-context';
import { Outcome, Processor } from '../../../server/src/engine/vcpu/processor';
import { decodeTag, TagField } from '../../../server/src/engine/vcpu/tags';
import { Structure } from '../../../server/src/engine/journal/enumerations';
import { FIRST_LINE } from '../../../server/src/engine/vcpu/tlb';
import { LineField, PageClass, TlbArray, decodeLine, hitBy } from '../../../server/src/engine/vcpu/tlb-array';
import { eptFormat, nptFormat, pagingFormat } from '../../../server/src/engine/x86/formats';
import { Keys, Policy, Rights } from '../../../server/src/engine/x86/permissions';
import { ALL_CACHES, NO_TLB, TLB } from '../x86/subject';
import { GLOBAL, RWU, Tables, identityEpt, type Words } from './tables';

const FIRST = pagingFormat({ mode: '4-level', nxe: true, pse: true, pse36: true, page1G: true, maxPhyAddr: 46, amd: false });
const EPT = eptFormat({ levels: 4, accessedDirty: true, executeOnly: true, page1G: true, maxPhyAddr: 46 });
const A = 0x40_0000;
const B = 0x40_1000;
const READ = ACCESS_READ | ACCESS_USER;
const WRITE = ACCESS_WRITE | ACCESS_USER;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;

class Bench {
  readonly journal = new Journal();
  readonly memory = new PhysicalMemory(this.journal);
  readonly context = new Context();
  readonly processor: Processor;
  readonly words: Words = new Map();
  readonly guest: Tables;
  readonly second: Tables | null;

  constructor(tlb: TlbConfig = TLB, kind: 'none' | 'ept' | 'npt' = 'none') {
    const offset = kind === 'none' ? 0n : 0x100_0000n;
    this.guest = new Tables(this.words, 0x1000n, 0x2000n, (address) => address + offset);
    this.guest.map(BigInt(A), 0x8000n).map(BigInt(B), 0x9000n);
    this.second = kind === 'none' ? null : identityEpt(this.words, offset, { flags: kind === 'ept' ? 0x37n : 7n });
    this.processor = new Processor(this.memory, kind === 'npt', tlb);
    const { context } = this;
    context.first = FIRST;
    context.rootLo = 0x1000;
    context.policy = Policy.writeProtect | Policy.nxe;
    if (kind !== 'none') {
      context.second = kind === 'ept' ? EPT : nptFormat({ mode: '4-level', nxe: true, page1G: true, maxPhyAddr: 46 });
      context.secondPolicy = kind === 'npt' ? Policy.nxe : 0;
      context.secondRootLo = 0x1000_0000;
      context.vpid = 1;
    }
    this.load();
    this.processor.enter(context);
  }

  /** The words of the tables into memory. */
  load(): void {
    for (const [address, value] of this.words) this.store(address, value);
  }

  store(address: bigint, value: bigint): void {
    this.memory.write(Number(address), Number(value & 0xffff_ffffn), Number(value >> 32n));
  }

  word(address: bigint): bigint {
    const at = Number(address);
    return (BigInt(this.memory.high(at) >>> 0) << 32n) | BigInt(this.memory.low(at) >>> 0);
  }

  access(address: number, access: number): Outcome {
    return this.processor.access(address, 0, access);
  }

  /** Entries read by an access that is to succeed. */
  references(address: number, access = READ): number {
    const before = this.processor.references;
    assert.equal(this.access(address, access), Outcome.ok);
    return this.processor.references - before;
  }

  /** Rows of a kind since a row: level, small, and both slots. */
  rows(kind: Kind, from = 0): { level: number; small: number; a: bigint; b: bigint }[] {
    const found = [];
    const { words, length } = this.journal;
    const slot = (at: number): bigint => (BigInt(words[at + 1] >>> 0) << 32n) | BigInt(words[at] >>> 0);
    for (let row = from; row < length; row++) {
      const at = row * ROW_WORDS;
      if ((words[at] & 0xff) === (kind as number))
        found.push({ level: (words[at] >>> 12) & 15, small: words[at] >>> 16, a: slot(at + 1), b: slot(at + 3) });
    }
    return found;
  }
}

describe('TLB', () => {
  it('serves what was walked, without a reference; off, it serves nothing', () => {
    const bench = new Bench();
    assert.equal(bench.references(A), 4);
    assert.equal(bench.references(A + 0x123), 0);
    assert.equal(bench.processor.host, 0x8123);
    assert.equal(bench.references(B), 4);
    const without = new Bench(NO_TLB);
    without.references(A);
    assert.equal(without.references(A), 4);
  });

  it('says which translation was walked, filled and hit: one of translated and tlb_hit an access', () => {
    const bench = new Bench();
    const start = bench.journal.length;
    bench.references(A);
    bench.references(A + 8);
    assert.deepEqual(bench.rows(Kind.translated, start), [{ level: 0, small: 0, a: 0x40_0000n, b: 0x8000n }]);
    assert.deepEqual(bench.rows(Kind.tlb_fill, start), [{ level: 1, small: Structure.l1, a: 0x40_0000n, b: 0x8000n }]);
    assert.deepEqual(bench.rows(Kind.tlb_hit, start), [{ level: 0, small: hitBy(Structure.l1, 1), a: 0x40_0008n, b: 0x8008n }]);
  });

  it('finds in L2 what L1 had to give up, and takes it back', () => {
    const bench = new Bench({ on: true, l1: { sets: 1, ways: 1 }, l2: { sets: 1, ways: 4 }, pagingStructureEntries: 0 });
    bench.references(A);
    bench.references(B);
    const from = bench.journal.length;
    assert.equal(bench.references(A), 0);
    assert.deepEqual(
      bench.rows(Kind.tlb_hit, from).map((row) => row.small & 7),
      [Structure.l2],
    );
    assert.equal(bench.references(A), 0);
    assert.deepEqual(
      bench.rows(Kind.tlb_hit, from).map((row) => row.small & 7),
      [Structure.l2, Structure.l1],
    );
  });

  for (const ways of [1, 2, 3, 4, 5, 6, 8, 12]) {
    it(`of ${ways} ways finds each line of a set in L1`, () => {
      const bench = new Bench({ on: true, l1: { sets: 1, ways }, l2: { sets: 1, ways: 1 }, pagingStructureEntries: 0 });
      const pages = Array.from({ length: ways }, (_, i) => A + i * 0x1000);
      for (const page of pages) bench.guest.map(BigInt(page), BigInt(page));
      bench.load();
      for (const page of pages) bench.references(page);
      const from = bench.journal.length;
      for (const page of pages) assert.equal(bench.references(page), 0);
      assert.deepEqual(
        bench.rows(Kind.tlb_hit, from).map((row) => row.small & 7),
        pages.map(() => Structure.l1),
      );
    });
  }

  it('gives up the least recently used line of a set', () => {
    const journal = new Journal();
    const array = new TlbArray(journal, 0, 0, 1, 3);
    for (const page of [1, 2, 3]) array.put(0, page * 4096 + 1, 0, 0, 0);
    array.touch(array.find(0, 1 * 4096 + 1, 0));
    array.put(0, 4 * 4096 + 1, 0, 0, 0);
    assert.deepEqual(
      [1, 2, 3, 4].map((page) => array.find(0, page * 4096 + 1, 0) >= 0),
      [true, false, true, true],
    );
  });

  for (const [name, level, pages] of [
    ['2M', 2, PageClass.page2M],
    ['1G', 3, PageClass.page1G],
  ] as const) {
    it(`keeps a ${name} page as one line`, () => {
      const bench = new Bench();
      bench.guest.map(1n << 39n, 0x4000_0000n, { level });
      bench.load();
      const high = 1 << 7;
      assert.equal(bench.processor.access(0, high, READ), Outcome.ok);
      const before = bench.processor.references;
      assert.equal(bench.processor.access(0x12_3456, high, READ), Outcome.ok);
      assert.equal(bench.processor.host, 0x4012_3456);
      assert.equal(bench.processor.references, before);
      assert.equal(bench.processor.tlb.l1Of(pages).used, 1);
    });
  }

  it('takes the smaller of both stages: a 2M guest page behind 4K EPT pages is cached in pieces, and one INVLPG drops all', () => {
    const bench = new Bench(TLB, 'ept');
    bench.guest.map(0x80_0000n, 0n, { level: 2 });
    bench.load();
    for (const offset of [0x8000, 0x9000]) assert.equal(bench.access(0x80_0000 + offset, READ), Outcome.ok);
    assert.equal(bench.processor.tlb.l1.used, 2);
    bench.processor.invalidations.invlpg(0x80_5000, 0);
    assert.equal(bench.processor.tlb.l1.used, 0);
    assert.equal(bench.processor.tlb.l2.used, 0);
  });

  it('keeps what is global when CR3 changes', () => {
    const bench = new Bench();
    bench.context.globalPages = true;
    bench.guest.map(BigInt(B), 0x9000n, { flags: RWU | GLOBAL });
    bench.load();
    bench.processor.enter(bench.context);
    bench.references(B);
    bench.context.pcid = 7;
    bench.processor.enter(bench.context);
    assert.equal(bench.references(B), 0);
  });

  it('does not without CR4.PGE, whatever the leaf says', () => {
    const bench = new Bench();
    bench.guest.map(BigInt(B), 0x9000n, { flags: RWU | GLOBAL });
    bench.load();
    bench.processor.enter(bench.context);
    bench.references(B);
    bench.context.pcid = 7;
    bench.processor.enter(bench.context);
    assert.equal(bench.references(B), 4);
  });

  it('never keeps an entry that is not present or malformed, so P from 0 to 1 needs no invalidation', () => {
    const bench = new Bench(ALL_CACHES);
    const entry = bench.guest.entry(BigInt(A), 1);
    const good = bench.word(entry);
    bench.store(entry, 0n);
    assert.equal(bench.access(A, READ), Outcome.pageFault);
    bench.store(entry, good | (1n << 46n));
    assert.equal(bench.access(A, READ), Outcome.pageFault);
    bench.store(entry, good);
    assert.equal(bench.access(A, READ), Outcome.ok);
  });

  it('does not fault for a right that the entry has got since', () => {
    const bench = new Bench(ALL_CACHES);
    const entry = bench.guest.entry(BigInt(A), 1);
    bench.store(entry, 0x8000n | 5n);
    bench.references(A);
    bench.store(entry, 0x8000n | 7n);
    assert.equal(bench.access(A, WRITE), Outcome.ok);
    // And not where a cached upper entry lacks it.
    const upper = bench.guest.entry(BigInt(B), 2);
    const full = bench.word(upper);
    bench.processor.invalidations.everything();
    bench.store(upper, full & ~2n);
    bench.references(B);
    bench.store(upper, full);
    assert.equal(bench.access(B, WRITE), Outcome.ok);
  });

  it('rights, policy and keys count at each access, not when the line was filled', () => {
    const bench = new Bench();
    bench.references(A);
    const denied = (change: () => void): void => {
      change();
      bench.processor.enter(bench.context);
    };
    denied(() => (bench.context.policy |= Policy.smap));
    assert.equal(bench.access(A, ACCESS_READ), Outcome.pageFault);
    denied(() => (bench.context.policy = Policy.smep | Policy.nxe));
    bench.references(A);
    assert.equal(bench.access(A, ACCESS_FETCH), Outcome.pageFault);
    denied(() => {
      bench.context.keys = Keys.user;
      bench.context.pkru = 1;
    });
    assert.equal(bench.access(A, READ), Outcome.pageFault);
    assert.equal(bench.processor.errorCode, 0x25);
  });

  describe('and accessed and dirty flags', () => {
    it('a write through a clean line goes to the leaf again and sets D', () => {
      for (const [kind, flag] of [
        ['none', 0n],
        ['ept', 0x200n],
        ['npt', DIRTY],
      ] as const) {
        const bench = new Bench(TLB, kind);
        bench.references(A);
        const entry = bench.guest.entry(BigInt(A), 1);
        assert.equal(bench.word(entry) & (ACCESSED | DIRTY), ACCESSED);
        assert.ok(bench.references(A, WRITE) > 0, kind);
        assert.equal(bench.word(entry) & (ACCESSED | DIRTY), ACCESSED | DIRTY);
        if (bench.second !== null) assert.equal(bench.word(bench.second.entry(0x8000n, 1)) & flag, flag, kind);
        assert.equal(bench.references(A, WRITE), 0, 'clean no more');
      }
    });

    it('a cached line hides that they were cleared', () => {
      const bench = new Bench();
      bench.references(A, WRITE);
      const entry = bench.guest.entry(BigInt(A), 1);
      bench.store(entry, bench.word(entry) & ~(ACCESSED | DIRTY));
      bench.references(A, WRITE);
      assert.equal(bench.word(entry) & (ACCESSED | DIRTY), 0n);
      assert.equal(bench.rows(Kind.stale).length, 1);
    });
  });

  describe('when it is stale', () => {
    it('uses the old frame until INVLPG, and says what memory has now', () => {
      const bench = new Bench();
      const entry = bench.guest.entry(BigInt(A), 1);
      bench.references(A);
      const from = bench.journal.length;
      bench.store(entry, 0x5027n);
      assert.equal(bench.references(A + 4), 0);
      assert.equal(bench.processor.host, 0x8004);
      assert.deepEqual(bench.rows(Kind.stale, from), [{ level: 1, small: 0, a: 0x40_0004n, b: 0x5027n }]);
      bench.processor.invalidations.invlpg(A, 0);
      assert.equal(bench.references(A), 4);
      assert.equal(bench.processor.host, 0x5000);
      assert.equal(bench.rows(Kind.stale, from).length, 1);
    });

    it('names the entry of the level that changed', () => {
      const cases: [(bench: Bench) => bigint, bigint, number][] = [
        [(b) => b.guest.entry(BigInt(A), 1), 1n << 1n, 1],
        [(b) => b.guest.entry(BigInt(A), 2), 1n << 1n, 2],
        [(b) => b.guest.entry(BigInt(A), 3), 1n << 2n, 3],
        [(b) => b.guest.entry(BigInt(A), 4), 1n, 4],
      ];
      for (const [where, bit, level] of cases) {
        const bench = new Bench();
        bench.references(A, WRITE);
        bench.store(where(bench), bench.word(where(bench)) & ~bit);
        bench.references(A, WRITE);
        assert.deepEqual(
          bench.rows(Kind.stale).map((row) => row.level),
          [level],
        );
      }
    });

    it('says so of the second stage too, until INVEPT', () => {
      for (const caches of [TLB, ALL_CACHES]) {
        const bench = new Bench(caches, 'ept');
        bench.references(A);
        const leaf = bench.second!.entry(0x8000n, 1);
        bench.store(leaf, bench.word(leaf) + 0x1000n);
        bench.references(A);
        assert.equal(bench.processor.host, 0x100_8000);
        assert.deepEqual(
          bench.rows(Kind.stale).map((row) => row.b),
          [bench.word(leaf)],
        );
        bench.processor.invalidations.invept(1, 0x1_0000);
        bench.references(A);
        assert.equal(bench.processor.host, 0x100_9000);
        assert.equal(bench.rows(Kind.stale).length, 1);
      }
    });

    it('of a paging-structure entry or guest-physical mapping, the walk through it says so', () => {
      const bench = new Bench(ALL_CACHES);
      bench.references(A);
      const upper = bench.guest.entry(BigInt(A), 3);
      // Other tables with other pages.
      const other = new Tables(new Map(), 0x6_0000n, 0x6_1000n).map(BigInt(A), 0xa000n).map(BigInt(B), 0xb000n);
      for (const [address, value] of other.words) bench.store(address, value);
      bench.references(A);
      bench.store(upper, other.words.get(other.entry(BigInt(A), 3))!);
      assert.equal(bench.references(B), 1);
      assert.equal(bench.processor.host, 0x9000);
      assert.equal(bench.rows(Kind.stale).length, 1);
    });

    it('is not what a fresh, unchanged or elsewhere changed table makes of it', () => {
      const bench = new Bench(ALL_CACHES, 'ept');
      bench.references(A);
      bench.references(B, WRITE);
      bench.store(bench.guest.entry(BigInt(B), 1), 0n);
      bench.processor.invalidations.invlpg(B, 0);
      bench.references(A);
      bench.references(A, WRITE);
      bench.references(A, WRITE);
      assert.deepEqual(bench.rows(Kind.stale), []);
    });

    it('a page that EPT lets only be executed is no reason', () => {
      const bench = new Bench(TLB, 'ept');
      const leaf = bench.second!.entry(0x8000n, 1);
      bench.store(leaf, (bench.word(leaf) & ~7n) | 4n);
      bench.references(A, ACCESS_FETCH | ACCESS_USER);
      bench.references(A, ACCESS_FETCH | ACCESS_USER);
      assert.equal(bench.rows(Kind.tlb_hit).length, 1);
      assert.deepEqual(bench.rows(Kind.stale), []);
    });
  });

  it('a walk that fails by cached parts of the way reports what memory denies, when that is another entry', () => {
    const bench = new Bench(ALL_CACHES, 'ept');
    const [near, far] = [0x20_0000n, 0x20_1000n];
    bench.guest.map(0x40_2000n, near).map(0x40_3000n, far);
    for (const page of [near, far]) bench.second!.map(page, page + 0x100_0000n, { flags: 0x37n, upper: 7n });
    bench.load();
    bench.references(0x40_2000);
    // The entry that leads to both pages is cached; by now it is gone, and with it the one below.
    const [below, gone] = [1, 2].map((level) => bench.second!.entry(far, level));
    for (const entry of [below, gone]) bench.store(entry, 0n);
    const from = bench.journal.length;
    assert.equal(bench.access(0x40_3000, READ), Outcome.eptViolation);
    assert.deepEqual(
      bench.rows(Kind.ept_violation, from).map(({ level, a }) => [level, a]),
      [[2, far]],
    );
    assert.deepEqual(
      bench.rows(Kind.table_read, from).flatMap(({ a, b }) => (b === 0n ? [a] : [])),
      [below, gone],
      'it is walked by what is cached, and then from the root',
    );
  });

  it('is in the journal line by line, with its tags', () => {
    const bench = new Bench(ALL_CACHES, 'ept');
    bench.references(A);
    bench.references(B, WRITE);
    bench.processor.invalidations.invlpg(A, 0);
    bench.references(A, WRITE);
    const state = new State(bench.journal).seek(bench.journal.length).space(Space.tlb);
    const tags = new State(bench.journal).seek(bench.journal.length).space(Space.tlbTag);
    const key = (line: number, field: number): number => SPACES[Space.tlb].key.encode({ processor: 0, line, field });
    for (const [first, array] of [
      [FIRST_LINE.l1, bench.processor.tlb.l1],
      [FIRST_LINE.l2, bench.processor.tlb.l2],
      [FIRST_LINE.guestPhysical, bench.processor.tlb.guestPhysical!.array],
    ] as const) {
      let used = 0;
      for (let line = 0; line < array.lines; line++) {
        const [k, v] = [key(first + line, LineField.key), key(first + line, LineField.value)];
        assert.deepEqual(
          [state.lo(k), state.hi(k), state.lo(v), state.hi(v)],
          [array.key(line), array.keyHi(line), array.frame(line), array.frameHi(line)],
        );
        const decoded = decodeLine(state.lo(k), state.hi(k), state.lo(v), state.hi(v));
        if (decoded === null) continue;
        used++;
        const tagKey = (field: TagField): number => SPACES[Space.tlbTag].key.encode({ processor: 0, tag: decoded.tag, field });
        const tag = decodeTag(tags.lo(tagKey(TagField.space)), tags.lo(tagKey(TagField.root)), tags.hi(tagKey(TagField.root)));
        const guestPhysical = first === FIRST_LINE.guestPhysical;
        assert.deepEqual(tag, { vpid: guestPhysical ? 0 : 1, pcid: 0, root: 0x1_0000, global: false, guestPhysical });
      }
      assert.equal(used, array.used);
      assert.ok(used > 0);
    }
    const line = decodeLine(
      state.lo(key(FIRST_LINE.l1, 0)),
      state.hi(key(FIRST_LINE.l1, 0)),
      state.lo(key(FIRST_LINE.l1, 1)),
      state.hi(key(FIRST_LINE.l1, 1)),
    )!;
    assert.equal(line.page, BigInt(A));
    assert.equal(line.frame, 0x100_8000);
    assert.equal(line.rights & (Rights.user | Rights.dirty | Rights.hostWrite), Rights.user | Rights.dirty | Rights.hostWrite);
    assert.equal(new State(bench.journal).seek(0).space(Space.tlb).size, 0);
  });

  it('knows the guest-physical address of a hit', () => {
    const bench = new Bench(TLB, 'ept');
    bench.references(A + 0x10);
    assert.equal(bench.processor.gpa, 0x8010);
    bench.references(A + 0x20);
    assert.equal(bench.processor.gpa, 0x8020);
  });

  it('forgets all when its tags are used up, and goes on', () => {
    const bench = new Bench();
    for (let pcid = 0; pcid < 1200; pcid++) {
      bench.context.pcid = pcid;
      bench.processor.enter(bench.context);
      assert.equal(bench.references(A), 4);
      assert.equal(bench.references(A), 0);
    }
  });

  for (const levels of [4, 5]) {
    it(`drops paging-structure entries of each of ${levels} levels with all else`, () => {
      const bench = new Bench(ALL_CACHES);
      const guest = new Tables(bench.words, 0x10_0000n, 0x10_1000n);
      guest.map(BigInt(A), 0x8000n, { levels });
      bench.load();
      const { context, processor } = bench;
      const mode = levels === 5 ? '5-level' : '4-level';
      context.first = pagingFormat({ mode, nxe: true, pse: true, pse36: true, page1G: true, maxPhyAddr: 46, amd: false });
      context.rootLo = 0x10_0000;
      processor.enter(context);
      assert.equal(bench.references(A), levels);
      for (const array of processor.tlb.structures!.arrays.slice(0, levels - 1)) assert.equal(array.used, 1);
      processor.tlb.dropAll();
      for (const array of processor.tlb.structures!.arrays) assert.equal(array.used, 0);
      assert.equal(bench.references(A), levels);
    });
  }

  it('takes any geometry', () => {
    for (const sets of [0, -1, 3, 1e9, Number.NaN]) {
      const bench = new Bench({ on: true, l1: { sets, ways: sets }, l2: { sets, ways: 1 }, pagingStructureEntries: sets });
      bench.references(A);
      assert.equal(bench.references(A), 0);
    }
  });
});
