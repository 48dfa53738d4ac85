/**
 * Guests for random programs: any paging mode, one or more vCPUs, slots of which large pages can be made. What is where is the
 * same in every world, so that one program makes sense in all of them.
 */
import fc from 'fast-check';
import type { Budget, Features, KvmOptions, MachineConfig, MmuKind, PagingMode, SlotConfig } from '../../../server/src/engine/program';
import { host, slot, VCPU, type Words } from './machines';

export interface World {
  readonly mmu: MmuKind;
  readonly paging: PagingMode;
  readonly kvm?: Partial<KvmOptions>;
  readonly features?: Partial<Features>;
  readonly tlb?: boolean;
  readonly vcpus?: number;
  /** CR4.PCIDE: roots carry a PCID. */
  readonly pcid?: boolean;
  /** Host pages behind the slots of data. */
  readonly pageSize?: number;
  /** The slot of data is two that join. */
  readonly twoSlots?: boolean;
  readonly maxPhyAddr?: number;
}

/** Guest-physical layout: tables in slot 0, data in slot 1, what large guest pages map in slot 2. */
export const DATA_GPA = 0x20_0000;
export const LARGE_GPA = 0x40_0000;
export const NOWHERE = 0x4000_0000;
export const PAGES = 8;
export const HVA = 0x7f00_0000_0000;
export const dataFrame = (page: number): number => DATA_GPA + page * 0x1000;

/** Linear layout: pages of data, then windows on tables (read only), then a page in no slot. */
const DATA = 0x40_0000;
const WINDOWS = 4;
export const MMIO_PAGE = PAGES + WINDOWS;
const LARGE = [0x80_0000, 0xa0_0000];

/** Where a mode keeps what. */
export interface Layout {
  readonly size: 4 | 8;
  readonly roots: readonly [number, number];
  readonly words: Words;
  /** Entry of a page in the table that both roots share, and the entry of the first root's directory that leads to it. */
  entry(page: number): number;
  readonly directory: number;
  readonly largeEntry: number;
  readonly table: number;
}

const PT = 0x5000;
const PD = [0x4000, 0x8000];
const ROOTS = [0x1000, 0x9000] as const;
const PDPT = [0x3000, 0x7000];
const TOP = [0x2000, 0x6000];
const TABLE = 0x67n;
/** Flags of entries of data pages, by number in programs; 0: not present. */
export const FLAGS = [0x67n, 0x65n, 0x27n, 0x25n, 0x07n, 0x63n, 0x61n, 0x8000_0000_0000_0067n, 0n] as const;

function build(paging: PagingMode): Layout {
  const narrow = paging === '32-bit';
  const size = narrow ? 4 : 8;
  const words: Record<number, bigint> = {};
  const put = (table: number, index: number, value: bigint): void => {
    const at = table + index * size;
    const upper = at % 8 !== 0;
    words[at - (at % 8)] = (words[at - (at % 8)] ?? 0n) | (upper ? value << 32n : value);
  };
  const directories = narrow ? ROOTS : PD;
  const shift = narrow ? 22 : 21;
  const index = (address: number): number => Math.floor(address / 2 ** shift);
  [0, 1].forEach((which) => {
    if (paging === 'pae') put(ROOTS[which], 0, BigInt(PD[which]) | 1n);
    if (paging === '4-level') {
      put(ROOTS[which], 0, BigInt(PDPT[which]) | TABLE);
      put(PDPT[which], 0, BigInt(PD[which]) | TABLE);
    }
    if (paging === '5-level') {
      put(ROOTS[which], 0, BigInt(TOP[which]) | TABLE);
      put(TOP[which], 0, BigInt(PDPT[which]) | TABLE);
      put(PDPT[which], 0, BigInt(PD[which]) | TABLE);
    }
    put(directories[which], index(DATA), BigInt(PT) | TABLE);
    put(directories[which], index(LARGE[0]), BigInt(LARGE_GPA) | 0xe7n);
    // The second large page lies over the data of the small ones; 4M pages cannot be there.
    if (!narrow) put(directories[which], index(LARGE[1]), BigInt(DATA_GPA) | 0x87n);
  });
  for (let page = 0; page < PAGES; page++) put(PT, page, BigInt(dataFrame(page)) | (FLAGS[page % 3] & 0xffff_ffffn));
  [PT, directories[0], ROOTS[0], ROOTS[1]].forEach((table, i) => put(PT, PAGES + i, BigInt(table) | 0x63n));
  put(PT, MMIO_PAGE, BigInt(NOWHERE) | 0x63n);
  return {
    size,
    roots: ROOTS,
    words,
    entry: (page) => PT + page * size,
    directory: directories[0] + index(DATA) * size,
    largeEntry: directories[0] + index(LARGE[0]) * size,
    table: PT,
  };
}

const LAYOUTS = new Map<PagingMode, Layout>();
export function layoutOf(paging: PagingMode): Layout {
  let layout = LAYOUTS.get(paging);
  if (layout === undefined) LAYOUTS.set(paging, (layout = build(paging)));
  return layout;
}

/** Linear address of a small page; of a place in a large one. */
export function addressOf(world: World, page: number): number {
  if (world.paging !== 'none') return DATA + page * 0x1000;
  return page < PAGES ? dataFrame(page) : page === MMIO_PAGE ? NOWHERE : 0x1000 * page;
}

export function largeAddressOf(world: World, which: number, page: number): number {
  const first = world.paging === '32-bit' ? LARGE[0] : LARGE[which];
  return (world.paging === 'none' ? [LARGE_GPA, DATA_GPA][which] : first) + page * 0x1000;
}

export function slotsOf({ pageSize = 0x1000, twoSlots = false }: World): readonly SlotConfig[] {
  const at = (id: number, gpa: number, size: number): SlotConfig =>
    slot(id, gpa, size, { hva: HVA + gpa, backing: { pageSize: gpa >= DATA_GPA ? pageSize : 0x1000, populated: true } });
  const data = twoSlots ? [at(7, DATA_GPA, 0x3000), at(1, DATA_GPA + 0x3000, 0x1f_d000)] : [at(1, DATA_GPA, 0x20_0000)];
  return [at(0, 0, 0x1_0000), ...data, at(2, LARGE_GPA, 0x40_0000)];
}

export const BUDGET: Budget = { steps: 1e6, events: 4e6, memory: 256 << 20 };

export function machineOf(world: World): MachineConfig {
  const { mmu, paging, kvm, features, tlb = false, vcpus = 1, pcid = false, maxPhyAddr } = world;
  const base = host(mmu === 'npt' ? 'amd' : 'intel', kvm);
  const { roots, words } = layoutOf(paging);
  const off = { sets: 16, ways: 4 };
  return {
    host: {
      ...base,
      maxPhyAddr: maxPhyAddr ?? base.maxPhyAddr,
      features: { ...base.features, la57: paging === '5-level', ...features },
      tlb: { on: tlb, l1: off, l2: { sets: 64, ways: 4 }, pagingStructureEntries: tlb ? 8 : 0 },
    },
    vms: [
      {
        name: 'guest',
        parent: null,
        mmu,
        hypervisor: 'kvm',
        slots: slotsOf(world),
        memory: Object.entries(words).map(([gpa, word]) => ({ gpa: Number(gpa), words: BigUint64Array.of(word) })),
        vcpus: Array.from({ length: vcpus }, (_, i) => ({
          ...VCPU,
          name: `vcpu${i}`,
          paging,
          cr3: paging === 'none' ? 0n : BigInt(roots[0]),
          cr4: { ...VCPU.cr4, pse: paging === '32-bit', pcide: pcid },
          efer: { nxe: paging !== '32-bit' && paging !== 'none' },
        })),
      },
    ],
  };
}

/** KVM's options as tests know them: what is not said is as kernel 6.1 has it. */
const anyKvm: fc.Arbitrary<Partial<KvmOptions>> = fc.record(
  {
    prefetch: fc.boolean(),
    unsync: fc.boolean(),
    largePages: fc.boolean(),
    fastPageFault: fc.boolean(),
    cachedRoots: fc.nat(3),
    flooding: fc.nat(4),
    tdpMmu: fc.boolean(),
    pml: fc.boolean(),
    eptAd: fc.boolean(),
    nrMmuPages: fc.constantFrom(0, 64),
    dirtyLogInitiallySet: fc.boolean(),
    kernel: fc.constantFrom('6.1' as const, '6.12' as const),
  },
  { requiredKeys: [] },
);

const GUESTS = ['none', '32-bit', 'pae', '4-level', '4-level', '5-level'] as const;

export const anyWorld: fc.Arbitrary<World> = fc
  .record({
    mmu: fc.constantFrom('soft' as const, 'soft' as const, 'ept' as const, 'npt' as const),
    paging: fc.constantFrom(...GUESTS),
    kvm: anyKvm,
    tlb: fc.boolean(),
    vcpus: fc.integer({ min: 1, max: 3 }),
    pcid: fc.boolean(),
    pageSize: fc.constantFrom(0x1000, 0x20_0000),
    twoSlots: fc.boolean(),
    maxPhyAddr: fc.constantFrom(46, 46, 52),
    features: fc.record(
      { ept5Level: fc.boolean(), eptAd: fc.boolean(), eptExecuteOnly: fc.boolean(), vpid: fc.boolean() },
      { requiredKeys: [] },
    ),
  })
  .map((world) => ({ ...world, pcid: world.pcid && world.paging.endsWith('level') }));
