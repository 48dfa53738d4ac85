/** Machines for tests: a host, a VM and a guest's tables in a few words, and the events of an act. */
import { Journal } from '../../../server/src/engine/journal/journal';
import { RetPf } from '../../../server/src/engine/journal/enumerations';
import type { EventName } from '../../../server/src/engine/journal/event-table';
import { Machine } from '../../../server/src/engine/machine';
import type { Act, HostConfig, KvmOptions, MachineConfig, MmuKind, SlotConfig, VcpuConfig } from '../../../server/src/engine/program';
import type { ExitCount, Result } from '../../../server/src/engine/result';
import { eventAt, type Event, type EventOf } from '../../../server/src/events/fields';
import type { PageEvent } from '../../../server/src/events/page-role';

export const KVM: KvmOptions = {
  prefetch: true,
  unsync: true,
  largePages: true,
  fastPageFault: true,
  cachedRoots: 3,
  flooding: 3,
  tdpMmu: true,
  pml: false,
  eptAd: true,
  nrMmuPages: 0,
  slotZapAll: true,
  dirtyLogInitiallySet: false,
  shareEptRoot: false,
  allowSmallerMaxPhyAddr: false,
  vmreads: 8,
  vmwrites: 4,
  kernel: '6.1',
};

export function host(vendor: 'intel' | 'amd', kvm: Partial<KvmOptions> = {}, more: Partial<HostConfig> = {}): HostConfig {
  return {
    vendor,
    memory: 0x4000_0000,
    pageSize: 0x1000,
    maxPhyAddr: 46,
    features: {
      la57: false,
      nx: true,
      smep: true,
      smap: true,
      pcid: true,
      pku: true,
      pks: false,
      page1G: true,
      pse36: true,
      eptAd: true,
      eptExecuteOnly: true,
      ept1G: true,
      ept5Level: false,
      pml: true,
      vmcsShadowing: false,
      decodeAssists: true,
      vpid: true,
    },
    tlb: { on: false, l1: { sets: 16, ways: 4 }, l2: { sets: 64, ways: 4 }, pagingStructureEntries: 0 },
    kvm: { ...KVM, ...kvm },
    ...more,
  };
}

export function slot(id: number, gpa: number, size: number, more: Partial<SlotConfig> = {}): SlotConfig {
  return {
    id,
    gpa,
    size,
    hva: 0x7f00_0000_0000 + gpa,
    readonly: false,
    logDirty: false,
    backing: { pageSize: 0x1000, populated: true },
    origin: 0,
    ...more,
  };
}

export const VCPU: VcpuConfig = {
  name: 'vcpu0',
  paging: '4-level',
  cr3: 0x1000n,
  cr0: { wp: true },
  cr4: { pse: false, pge: false, pcide: false, smep: false, smap: false, pke: false, pks: false },
  efer: { nxe: true },
  eflagsAc: false,
  pkru: 0,
  pkrs: 0,
  cpl: 0,
};

/** Words of guest memory by address. */
export type Words = Readonly<Record<number, bigint>>;

export interface Guest {
  readonly mmu: MmuKind;
  readonly host?: HostConfig;
  readonly slots?: readonly SlotConfig[];
  readonly words?: Words;
  readonly vcpu?: Partial<VcpuConfig>;
}

/** mmu-semantics.md §10.0, setup E. */
export const SETUP_E: Words = {
  0x1000: 0x2007n,
  0x2000: 0x3007n,
  0x3010: 0x4007n,
  0x3018: 0x600087n,
  0x4000: 0x5007n,
  0x4008: 0x6005n,
  0x4010: 0xd0000003n,
  0x4020: 0x4003n,
  0x4028: 0x3003n,
  0x4030: 0x1000003n,
};

export const SLOTS_E: readonly SlotConfig[] = [slot(0, 0, 0x100_0000), slot(1, 0x100_0000, 0x20_0000)];

export class Bench {
  readonly journal = new Journal();
  readonly config: MachineConfig;
  readonly machine: Machine;

  constructor(guest: Guest) {
    const vendor = guest.mmu === 'npt' ? 'amd' : 'intel';
    this.config = {
      host: guest.host ?? host(vendor),
      vms: [
        {
          name: 'guest',
          parent: null,
          mmu: guest.mmu,
          hypervisor: 'kvm',
          slots: guest.slots ?? SLOTS_E,
          memory: Object.entries(guest.words ?? SETUP_E).map(([gpa, word]) => ({ gpa: Number(gpa), words: BigUint64Array.of(word) })),
          vcpus: [{ ...VCPU, ...guest.vcpu }],
        },
      ],
    };
    this.machine = new Machine(this.config, this.journal, { steps: 1e6, events: 4e6, memory: 256 << 20 });
  }

  do(act: Act): Done {
    const from = this.journal.length;
    const done = this.machine.perform(act);
    return { ...done, events: eventsOf(this.journal, from) };
  }

  read(address: bigint, user = true): Done {
    return this.do(access('read', address, user, null));
  }

  write(address: bigint, value: bigint, user = true): Done {
    return this.do(access('write', address, user, value));
  }

  fetch(address: bigint, user = true): Done {
    return this.do(access('fetch', address, user, null));
  }

  rmw(address: bigint, value: bigint, user = true): Done {
    return this.do(access('rmw', address, user, value));
  }

  load(register: 'cr0' | 'cr3' | 'cr4' | 'efer', value: bigint): Done {
    return this.do({ do: 'register', by: BY, register, value, origin: 0 });
  }

  invlpg(address: bigint): Done {
    return this.do({ do: 'invlpg', by: BY, address, origin: 0 });
  }

  word(gpa: number): bigint | null {
    return this.machine.word(0, gpa);
  }
}

export const BY = { vm: 0, vcpu: 0 };

export function access(kind: 'read' | 'write' | 'fetch' | 'rmw', address: bigint, user: boolean, value: bigint | null): Act {
  return {
    do: 'access',
    by: BY,
    access: kind,
    user,
    implicit: false,
    ac: null,
    address,
    size: 8,
    value,
    count: 1,
    stride: 0n,
    handler: null,
    origin: 0,
  };
}

export interface Done {
  readonly result: Result;
  readonly exits: readonly ExitCount[];
  readonly references: number;
  readonly events: readonly string[];
}

/** Number of exits of an act. */
export function exitsOf(done: Done): number {
  return done.exits.reduce((sum, { count }) => sum + count, 0);
}

/** The hypervisor's events from a row on, in short: `get_page 2 l3`, `set_spte 5 100005a25`. */
export function eventsOf(journal: Journal, from: number): string[] {
  const events: string[] = [];
  for (let row = from; row < journal.length; row++) {
    const text = short(journal, row);
    if (text !== null) events.push(text);
  }
  return events;
}

/** An event of a hypervisor in short; null: another row. */
export function short(journal: Journal, row: number): string | null {
  const event = eventAt(journal, row);
  const text = event && (SHORT[event.name] as ((event: Event) => string) | undefined);
  if (!event || !text) return null;
  return `${event.name.replace('kvm_mmu_', '').replace('kvm_', '')} ${text(event)}`.trim();
}

type Short = { readonly [N in EventName]?: (event: EventOf<N>) => string };
const hex = (value: bigint | number): string => value.toString(16);
const page = ({ fields: { gfn }, level }: PageEvent): string => `${hex(gfn)} l${level}`;
const SHORT: Short = {
  kvm_exit: ({ fields }) => hex(fields.info1),
  kvm_nested_vmexit: ({ fields }) => hex(fields.info1),
  kvm_nested_vmexit_inject: ({ fields }) => `${fields.reason} ${hex(fields.info1)}`,
  kvm_nested_vmenter: ({ fields }) => `${hex(fields.vmcs)} ${hex(fields.nested_root)}`,
  kvm_entry: () => '',
  kvm_page_fault: ({ fields }) => `${hex(fields.address)} ${hex(fields.error_code)}`,
  kvm_inj_exception: ({ fields }) => hex(fields.error_code),
  kvm_mmu_pagetable_walk: ({ fields }) => `${hex(fields.addr)} ${hex(fields.pferr)}`,
  kvm_mmu_paging_element: ({ fields, level }) => `${hex(fields.pte)} l${level}`,
  kvm_mmu_set_accessed_bit: ({ fields }) => hex(fields.gpa),
  kvm_mmu_set_dirty_bit: ({ fields }) => hex(fields.gpa),
  kvm_mmu_walker_error: ({ fields }) => hex(fields.pferr),
  kvm_mmu_get_page: (event) => `${page(event)} ${event.fields.created ? 'new' : 'existing'}`,
  kvm_mmu_sync_page: page,
  kvm_mmu_unsync_page: page,
  kvm_mmu_prepare_zap_page: page,
  kvm_mmu_spte_requested: ({ fields, level }) => `${hex(fields.gfn)} l${level}`,
  kvm_mmu_set_spte: ({ fields, level }) => `${hex(fields.gfn)} ${hex(fields.spte)} l${level}`,
  kvm_tdp_mmu_spte_changed: ({ fields, level }) => `${hex(fields.gfn)} l${level} ${hex(fields.old_spte)} ${hex(fields.new_spte)}`,
  mark_mmio_spte: ({ fields }) => `${hex(fields.gfn)} ${fields.access} ${hex(fields.gen)}`,
  check_mmio_spte: ({ fields }) => `${fields.valid}`,
  handle_mmio_page_fault: ({ fields }) => hex(fields.gfn),
  fast_page_fault: ({ fields }) => `${hex(fields.address)} ${RetPf[fields.result]}`,
  kvm_mmu_zap_all_fast: ({ fields }) => `${hex(fields.valid_gen)} ${hex(fields.used_pages)}`,
  kvm_mmu_split_huge_page: ({ fields, level }) => `${hex(fields.gfn)} l${level}`,
  kvm_emulate_insn: () => '',
  kvm_mmio: ({ fields }) => `${fields.type} ${hex(fields.gpa)}`,
  kvm_mmu_pte_write: ({ fields }) => `${hex(fields.gpa)} ${hex(fields.new)}`,
  kvm_flush_remote_tlbs: () => '',
  kvm_unmap_hva_range: () => '',
  kvm_mmu_page_fault_return: ({ fields }) => `${fields.result}`,
};
