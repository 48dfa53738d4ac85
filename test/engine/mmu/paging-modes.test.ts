/** Guests of every paging mode, with and without a TLB: soft and hard MMU agree, and invariants hold. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MmuKind, PagingMode } from '../../../server/src/engine/program';
import { Bench, access, BY, host, slot, type Words } from './machines';
import { seen } from './random-programs';

interface Mode {
  readonly paging: PagingMode;
  readonly words: Words;
  /** Linear address of data page i; guest-physical address of its entry. */
  readonly address: (page: number) => bigint;
  readonly entry: (page: number) => number;
  readonly size: 4 | 8;
  readonly root: bigint;
}

const frame = (page: number): number => 0x1_0000 + page * 0x1000;
const leaves = (flags: bigint): bigint[] => [0, 1, 2, 3].map((page) => BigInt(frame(page)) | flags);
const table = (at: number, entries: readonly bigint[]): Record<number, bigint> =>
  Object.fromEntries(entries.map((entry, i) => [at + i * 8, entry]));
const pairs = (entries: readonly bigint[]): bigint[] => [0, 2].map((i) => entries[i] | (entries[i + 1] << 32n));
const window = (at: number): bigint => BigInt(at) | 0x63n;

const MODES: readonly Mode[] = [
  {
    paging: '5-level',
    words: {
      0x1000: 0x2067n,
      0x2000: 0x3067n,
      0x3000: 0x4067n,
      0x4000: 0x5067n,
      0x4008: 0x6067n,
      ...table(0x5000, leaves(0x67n)),
      0x6000: window(0x5000),
    },
    address: (p) => BigInt(p * 0x1000),
    entry: (p) => 0x5000 + p * 8,
    size: 8,
    root: 0x1000n,
  },
  {
    paging: '4-level',
    words: { 0x1000: 0x2067n, 0x2000: 0x3067n, 0x3000: 0x5067n, 0x3008: 0x6067n, ...table(0x5000, leaves(0x67n)), 0x6000: window(0x5000) },
    address: (p) => BigInt(p * 0x1000),
    entry: (p) => 0x5000 + p * 8,
    size: 8,
    root: 0x1000n,
  },
  {
    paging: 'pae',
    words: { 0x1000: 0x3001n, 0x3000: 0x5067n, 0x3008: 0x6067n, ...table(0x5000, leaves(0x67n)), 0x6000: window(0x5000) },
    address: (p) => BigInt(p * 0x1000),
    entry: (p) => 0x5000 + p * 8,
    size: 8,
    root: 0x1000n,
  },
  {
    paging: '32-bit',
    words: { 0x1000: 0x5067n | (0x6067n << 32n), ...table(0x5000, pairs(leaves(0x67n))), 0x6000: window(0x5000) },
    address: (p) => BigInt(p * 0x1000),
    entry: (p) => 0x5000 + p * 4,
    size: 4,
    root: 0x1000n,
  },
  { paging: 'none', words: {}, address: (p) => BigInt(frame(p)), entry: () => 0, size: 8, root: 0n },
];
const KINDS: readonly MmuKind[] = ['soft', 'ept', 'npt'];
const FLAGS = [0x67n, 0x65n, 0x27n, 0x63n, 0n];

type Step = {
  readonly page: number;
  readonly what: 'read' | 'write' | 'fetch' | 'edit' | 'cr3';
  readonly user: boolean;
  readonly flags: number;
};
const steps = fc.array(
  fc.record({
    page: fc.nat(3),
    what: fc.constantFrom('read' as const, 'write' as const, 'fetch' as const, 'write' as const, 'edit' as const, 'cr3' as const),
    user: fc.boolean(),
    flags: fc.nat(FLAGS.length - 1),
  }),
  { minLength: 10, maxLength: 30, size: 'max' },
);

function run(mode: Mode, mmu: MmuKind, tlb: boolean, program: readonly Step[]): string[] {
  const base = host(mmu === 'npt' ? 'amd' : 'intel');
  const bench = new Bench({
    mmu,
    words: mode.words,
    slots: [slot(0, 0, 0x2_0000)],
    host: {
      ...base,
      features: { ...base.features, la57: mode.paging === '5-level' },
      tlb: { ...base.tlb, on: tlb, pagingStructureEntries: tlb ? 8 : 0 },
    },
    vcpu: { paging: mode.paging, cr3: mode.root, efer: { nxe: false } },
  });
  const results: string[] = [];
  for (const { page, what, user, flags } of program) {
    const address = mode.address(page);
    if (what === 'edit') {
      if (mode.paging === 'none') continue;
      const value = FLAGS[flags] === 0n ? 0n : BigInt(frame(page)) | FLAGS[flags];
      results.push(seen(bench.do({ do: 'store', by: BY, gpa: mode.entry(page), size: mode.size, value, origin: 0 }).result));
      bench.invlpg(address);
    } else if (what === 'cr3') results.push(seen(bench.load('cr3', mode.root).result));
    else results.push(seen(bench.do(access(what, address, user, what === 'write' ? BigInt(flags + 1) : null)).result));
    assert.deepEqual(bench.machine.brokenInvariants(), [], `${mode.paging} ${mmu}`);
  }
  return results;
}

describe('paging modes', function () {
  this.timeout(0);
  for (const mode of MODES) {
    it(`${mode.paging}: the guest sees the same under soft, ept and npt, with a TLB and without`, () => {
      fc.assert(
        fc.property(steps, (program) => {
          const reference = run(mode, 'soft', false, program);
          for (const mmu of KINDS)
            for (const tlb of [false, true]) assert.deepEqual(run(mode, mmu, tlb, program), reference, `${mmu}, TLB ${tlb ? 'on' : 'off'}`);
          assert.ok(
            reference.some((text) => text.startsWith('ok')) ||
              reference.length === 0 ||
              program.every(({ what }) => what !== 'read' && what !== 'write'),
            'something is reached',
          );
        }),
        { numRuns: 25 },
      );
    });
  }
});
