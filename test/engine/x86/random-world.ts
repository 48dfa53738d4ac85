/** Random tables of every kind, aliases and malformed entries included, and accesses that mostly find something in them. */
import type { NaiveAccess, NaiveState, Paging } from './naive-machine';
import { Random } from './random';

export interface World {
  readonly state: NaiveState;
  readonly words: Map<bigint, bigint>;
  readonly accesses: readonly NaiveAccess[];
}

const INDEXES = [0, 1, 2, 511];
const PAGINGS: readonly Paging[] = ['32-bit', 'pae', '4-level', '4-level', '5-level'];
/** Tables and pages in guest-physical memory. The first is the root, in no entry. */
const GUEST_FRAMES = 8;

export function randomWorld(seed: number, options: { paging?: Paging; second?: 'none' | 'ept' | 'npt' } = {}): World {
  const random = new Random(seed);
  const paging = options.paging ?? random.pick(PAGINGS);
  const kind = options.second ?? random.pick(['none', 'ept', 'npt'] as const);
  const maxPhyAddr = random.pick([36, 40, 46, 52]);
  const words = new Map<bigint, bigint>();
  const state: NaiveState = {
    paging,
    cr3: 0n,
    wp: random.chance(60),
    nxe: random.chance(80),
    smep: random.chance(40),
    smap: random.chance(40),
    pse: random.chance(70),
    pke: random.chance(30),
    pks: random.chance(30),
    pkru: random.next(),
    pkrs: random.next(),
    maxPhyAddr,
    page1G: random.chance(80),
    amd: kind === 'npt',
    second: null,
  };

  // 32-bit and PAE tables lie below 4 GiB, also those of another mode now and then.
  const far = paging === '4-level' || paging === '5-level' ? BigInt(random.below(2)) << BigInt(maxPhyAddr - 1) : 0n;
  const frames = Array.from(
    { length: GUEST_FRAMES },
    (_, i) => 0x20_0000n + 0x1000n * BigInt(i * random.pick([1, 1, 3])) + (i > 3 ? far : 0n),
  );
  // Now and then the root lies where no memory is.
  state.cr3 = random.chance(3) ? frames[0] + (1n << BigInt(24 + random.below(8))) : frames[0];
  const host = (gpa: bigint): bigint => (kind === 'none' ? gpa : gpa + 0x4000_0000n);
  frames.forEach((frame, i) => {
    for (const index of INDEXES) {
      if (paging === 'pae' && i === 0 && index > 3) continue;
      const target = random.pick(frames.slice(1));
      if (paging === '32-bit') {
        const at = host(frame) + BigInt(index * 8);
        words.set(at, legacyEntry(random, target) | (legacyEntry(random, random.pick(frames.slice(1))) << 32n));
      } else
        words.set(
          host(frame) + BigInt(index * 8),
          paging === 'pae' && i === 0 ? target | random.bit(90, 0) : entry(random, target, maxPhyAddr),
        );
    }
  });

  // Where one comes to who forgets the upper bits of a far address: tables of something else.
  for (const frame of far === 0n ? [] : frames.slice(4)) {
    for (const index of INDEXES) {
      const at = host(frame - far) + BigInt(index * 8);
      if (!words.has(at)) words.set(at, entry(random, random.pick(frames.slice(1)), maxPhyAddr));
    }
  }

  const levels = random.pick([4, 5]);
  const root = 0x1000_0000n;
  if (kind === 'ept') state.second = { type: 'ept', root, levels, ad: random.chance(50), executeOnly: true };
  if (kind === 'npt') state.second = { type: 'npt', root, levels, nxe: random.chance(70) };
  if (kind !== 'none') {
    const tables = new SecondStage(random, words, kind, root, levels, maxPhyAddr);
    for (const frame of new Set(frames)) if (random.chance(96)) tables.map(frame, host(frame));
    // Large guest pages reach further.
    tables.map(0n, 0n);
  }
  return { state, words, accesses: Array.from({ length: 6 }, () => randomAccess(random, paging)) };
}

function legacyEntry(random: Random, target: bigint): bigint {
  return (
    (target & 0xffff_f000n) |
    random.bit(88, 0) |
    random.bit(75, 1) |
    random.bit(75, 2) |
    random.bit(40, 5) |
    random.bit(40, 6) |
    random.bit(12, 7) |
    random.bit(20, 8)
  );
}

function entry(random: Random, target: bigint, maxPhyAddr: number): bigint {
  let value =
    target |
    random.bit(90, 0) |
    random.bit(80, 1) |
    random.bit(80, 2) |
    random.bit(50, 5) |
    random.bit(50, 6) |
    random.bit(8, 7) |
    random.bit(10, 8) |
    random.bit(8, 63);
  if ((value & 0x80n) !== 0n && random.chance(80)) value &= ~0x3fff_e000n;
  if (maxPhyAddr < 52) value |= random.bit(2, maxPhyAddr);
  if (random.chance(20)) value |= BigInt(random.below(128)) << 52n;
  return value | ((BigInt(random.below(16)) << 59n) & (random.chance(50) ? ~0n : 0n));
}

class SecondStage {
  private next = 0x1000_1000n;

  constructor(
    private readonly random: Random,
    private readonly words: Map<bigint, bigint>,
    private readonly kind: 'ept' | 'npt',
    private readonly root: bigint,
    private readonly levels: number,
    private readonly maxPhyAddr: number,
  ) {}

  map(gpa: bigint, hpa: bigint): void {
    const { words } = this;
    let table = this.root;
    for (let level = this.levels; level > 1; level--) {
      const at = table + 8n * ((gpa >> BigInt(3 + 9 * level)) & 511n);
      let value = words.get(at);
      if (value === undefined) {
        value = this.next | this.flags(false);
        this.next += 0x1000n;
        words.set(at, value);
      }
      table = value & 0xf_ffff_ffff_f000n & ((1n << BigInt(this.maxPhyAddr)) - 1n);
    }
    words.set(table + 8n * ((gpa >> 12n) & 511n), hpa | this.flags(true));
  }

  private flags(leaf: boolean): bigint {
    const { random } = this;
    const trouble = leaf ? 6 : 1;
    let value = random.bit(100 - trouble, 0) | random.bit(100 - trouble, 1) | random.bit(100 - trouble, 2);
    if (this.kind === 'npt')
      return (
        value |
        random.bit(40, 5) |
        random.bit(40, 6) |
        random.bit(1, 8) |
        random.bit(trouble, 63) |
        (this.maxPhyAddr < 52 ? random.bit(1, this.maxPhyAddr) : 0n)
      );
    value |= random.bit(40, 8) | random.bit(40, 9) | (this.maxPhyAddr < 52 ? random.bit(1, this.maxPhyAddr) : 0n);
    return leaf ? value | (6n << 3n) | random.bit(20, 6) | (random.chance(2) ? 1n << 3n : 0n) : value | random.bit(1, 4);
  }
}

function randomAccess(random: Random, paging: Paging): NaiveAccess {
  const size = paging === '32-bit' ? 10 : 9;
  const levels = { none: 0, '32-bit': 2, pae: 3, '4-level': 4, '5-level': 5 }[paging];
  let linear = BigInt(random.below(4096)) & ~7n;
  for (let level = 1; level <= levels; level++) {
    const pdpte = paging === 'pae' && level === 3;
    const index = paging === '32-bit' ? random.pick(INDEXES) * 2 + random.below(2) : pdpte ? random.below(3) : random.pick(INDEXES);
    linear |= BigInt(index) << BigInt(12 + size * (level - 1));
  }
  if (paging === '32-bit' || paging === 'pae') linear &= 0xffff_ffffn;
  const width = paging === '5-level' ? 57 : 48;
  if (levels >= 4 && (linear >> BigInt(width - 1)) & 1n && random.chance(90)) linear |= (~0n << BigInt(width)) & 0xffff_ffff_ffff_ffffn;
  const implicit = random.chance(10);
  return {
    linear,
    kind: implicit ? 'read' : random.pick(['read', 'write', 'fetch'] as const),
    user: random.chance(50),
    implicit,
    ac: random.chance(50),
  };
}
