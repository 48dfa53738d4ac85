/**
 * Spaces of state: what change rows are about. A space maps keys to 64-bit words, all zero to begin with. The one place that
 * knows how a key is put together; what a word means is said here and laid out where it is written.
 */

/** Never renumbered: run records name them. */
export enum Space {
  memory = 0,
  register = 1,
  slot = 2,
  hostPage = 3,
  tlb = 4,
  shadowPage = 5,
  track = 6,
  dirtyLog = 7,
  vm = 8,
  hostArea = 9,
  tlbTag = 10,
}

/** What an event may change: spaces; of memory `sptes`, words of tables that the host's KVM keeps, apart from all others. */
export type Changeable = keyof typeof Space | 'sptes';

/** Keys of a space: numbers below 2^53, made of fields. */
class Key<F extends string> {
  /** What one more of a field adds to a key. */
  readonly step: Readonly<Record<F, number>>;
  private readonly names: readonly F[];

  /** @param bits of each field, the most significant first */
  constructor(readonly bits: Readonly<Record<F, number>>) {
    this.names = Object.keys(bits) as F[];
    const step: Partial<Record<F, number>> = {};
    let size = 1;
    for (const name of [...this.names].reverse()) {
      step[name] = size;
      size *= 2 ** bits[name];
    }
    this.step = step as Record<F, number>;
  }

  encode(fields: Readonly<Record<F, number>>): number {
    let key = 0;
    for (const name of this.names) key += fields[name] * this.step[name];
    return key;
  }

  decode(key: number): Record<F, number> {
    const fields: Partial<Record<F, number>> = {};
    for (const name of this.names) fields[name] = this.field(key, name);
    return fields as Record<F, number>;
  }

  /** One field of a key. */
  field(key: number, name: F): number {
    return Math.floor(key / this.step[name]) % 2 ** this.bits[name];
  }

  /** The key with another value of a field. */
  with(key: number, name: F, value: number): number {
    return key + (value - this.field(key, name)) * this.step[name];
  }
}

interface SpaceSpec<F extends string = string> {
  /** As JSON says it. */
  readonly name: string;
  readonly key: Key<F>;
  /** What the words are, and where they are laid out. */
  readonly value: string;
}

const space = <F extends string>(name: string, bits: Readonly<Record<F, number>>, value: string): SpaceSpec<F> => ({
  name,
  key: new Key(bits),
  value,
});

/** The table: exhaustive. */
export const SPACES = {
  /** `address`: host-physical, of the aligned word. */
  [Space.memory]: space('memory', { address: 52 }, 'the word of memory'),
  /** `vcpu`: over all VMs; `bank` 1: the guest state of vmcs02 or vmcb02; `register`: vcpu/registers.ts. */
  [Space.register]: space('register', { vcpu: 45, bank: 1, register: 7 }, 'the register'),
  /** `id`: bits 15:0 slot, 16 address space. */
  [Space.slot]: space('slot', { vm: 21, id: 29, field: 3 }, 'fields of a memory slot (memory/slot-records.ts)'),
  /** `owner`: VM whose VMM has the mapping; `page`: virtual page number. */
  [Space.hostPage]: space('host-page', { owner: 17, page: 36 }, 'the host page behind a page touched by itself (memory/host-pages.ts)'),
  /** `line`: vcpu/tlb.ts. */
  [Space.tlb]: space('tlb', { processor: 29, line: 21, field: 3 }, 'fields of a cached translation (vcpu/tlb-array.ts)'),
  /** `memory`: 0, the table is in the host's memory, else the VM for which a hypervisor in a guest keeps it in its own; `frame`: the table's. */
  [Space.shadowPage]: space('shadow-page', { memory: 9, frame: 41, field: 3 }, 'fields of a shadow page (mmu/pages/shadow-page.ts)'),
  [Space.track]: space('track', { vm: 13, gfn: 40 }, 'how many shadow pages ask for writes to the frame to be tracked'),
  /** `word`: 64 pages of the slot, from its first. */
  [Space.dirtyLog]: space('dirty-log', { vm: 12, addressSpace: 1, slot: 15, word: 25 }, 'dirty bits of 64 pages'),
  [Space.vm]: space('vm', { vm: 45, field: 8 }, 'counters of a VM ({@link VmField})'),
  /** A run of virtual pages; `area` 0 has the number of areas too. */
  [Space.hostArea]: space('host-area', { owner: 17, area: 34, field: 2 }, 'fields of a run of pages of the VMM (memory/host-pages.ts)'),
  /** What the tag in TLB lines stands for. */
  [Space.tlbTag]: space('tlb-tag', { processor: 29, tag: 21, field: 3 }, 'fields of a tag (vcpu/tags.ts)'),
} as const satisfies { readonly [space in Space]: SpaceSpec };

/** Fields of {@link Space.vm}. */
export enum VmField {
  /** mmu_valid_gen */
  validGeneration = 0,
  /** n_used_mmu_pages, n_max_mmu_pages, indirect_shadow_pages */
  usedPages = 1,
  maxPages = 2,
  indirectPages = 3,
  /** Generation of the memory slots of address space 0; of address space 1 the field after it. */
  slotGeneration = 16,
}

/** By number, as rows have it. */
export function spaceSpec(number: Space): SpaceSpec {
  return SPACES[number];
}
