/** Machines with a VM in a VM (mmu-semantics.md §10.0, setup N), for tests: acts of L2 and of L1, their exits and events. */
import { eventOfKind } from '../../../../server/src/engine/journal/event-table';
import type { Kind } from '../../../../server/src/engine/journal/events';
import { Actor } from '../../../../server/src/engine/journal/events';
import { Journal, ROW_WORDS } from '../../../../server/src/engine/journal/journal';
import { Machine } from '../../../../server/src/engine/machine';
import type {
  Act,
  Budget,
  HostConfig,
  MachineConfig,
  MmuKind,
  Program,
  SlotConfig,
  VcpuConfig,
  VmConfig,
} from '../../../../server/src/engine/program';
import { VCPU, access, host, short, slot, type Done, type Words } from '../machines';

export const L1 = { vm: 0, vcpu: 0 };
export const L2 = { vm: 1, vcpu: 0 };
/** L2's memory in L1's. */
export const L2_BASE = 0x40_0000;

export interface Nested {
  /** What L1 does for L2, and what L0 does for L1. */
  readonly l2: MmuKind;
  readonly l1: MmuKind;
  readonly host?: HostConfig;
  readonly words?: Words;
  readonly l1Words?: Words;
  readonly l1Slots?: readonly SlotConfig[];
  readonly slots?: readonly SlotConfig[];
  readonly vcpu?: Partial<VcpuConfig>;
  readonly l1Vcpu?: Partial<VcpuConfig>;
  readonly control?: VmConfig['control'];
  readonly hypervisor?: 'kvm' | 'script';
}

/** L2's tables in the layout of setup E. */
export const SETUP_N: Words = {
  0x1000: 0x2007n,
  0x2000: 0x3007n,
  0x3010: 0x4007n,
  0x4000: 0x5007n,
  0x4008: 0x6005n,
  0x4010: 0xd0000003n,
  0x4020: 0x4003n,
  0x4028: 0x3003n,
};

const BUDGET: Budget = { steps: 1e6, events: 4e6, memory: 256 << 20 };

export function nestedMachine(nested: Nested): MachineConfig {
  const vendor = nested.l1 === 'npt' || nested.l2 === 'npt' ? 'amd' : 'intel';
  const images = (words: Words): VmConfig['memory'] =>
    Object.entries(words).map(([gpa, word]) => ({ gpa: Number(gpa), words: BigUint64Array.of(word) }));
  return {
    host: nested.host ?? host(vendor),
    vms: [
      {
        name: 'l1',
        parent: null,
        mmu: nested.l1,
        hypervisor: nested.hypervisor ?? 'kvm',
        slots: nested.l1Slots ?? [slot(0, 0, 0x100_0000)],
        memory: images(nested.l1Words ?? {}),
        vcpus: [{ ...VCPU, paging: 'none', cr3: 0n, ...nested.l1Vcpu }],
      },
      {
        name: 'l2',
        parent: 0,
        mmu: nested.l2,
        hypervisor: 'kvm',
        control: nested.control,
        slots: nested.slots ?? [slot(0, 0, 0x40_0000, { hva: L2_BASE })],
        memory: images(nested.words ?? SETUP_N),
        vcpus: [{ ...VCPU, ...nested.vcpu }],
      },
    ],
  };
}

/** Acts on such a machine as a program. */
export function nestedProgram(nested: Nested, acts: readonly Act[]): Program {
  return { name: `l2 under ${nested.l2} on ${nested.l1}`, machine: nestedMachine(nested), acts, budget: BUDGET };
}

export class NestedBench {
  readonly journal = new Journal();
  readonly machine: Machine;

  constructor(readonly nested: Nested) {
    this.machine = new Machine(nestedMachine(nested), this.journal, BUDGET);
  }

  do(act: Act): Done {
    const from = this.journal.length;
    const done = this.machine.perform(act);
    return { ...done, events: eventsWithActors(this.journal, from) };
  }

  read(address: bigint, user = true): Done {
    return this.do({ ...access('read', address, user, null), by: L2 } as Act);
  }

  write(address: bigint, value: bigint, user = true): Done {
    return this.do({ ...access('write', address, user, value), by: L2 } as Act);
  }

  /** L1 stores to its own memory. */
  store(gpa: number, value: bigint): Done {
    return this.do({ do: 'store', by: L1, gpa, value, size: 8, origin: 0 });
  }

  /** L2 does something that has nothing to do with memory: it is entered. */
  enter(): Done {
    return this.do({ do: 'register', by: L2, register: 'eflags', value: 2n, origin: 0 });
  }

  /** L1 has touched all of its memory that matters: control structure, tables, L2's pages. */
  warm(): void {
    for (let gfn = 0x10; gfn < 0x40; gfn++) this.touch(gfn);
    for (let gfn = 0x400; gfn < 0x440; gfn++) this.touch(gfn);
  }

  private touch(gfn: number): void {
    const gpa = gfn * 4096 + 0xff8;
    this.store(gpa, this.machine.word(0, gpa) ?? 0n);
  }
}

/** `L0 exit …`, `L1 set_spte …`: the hypervisors' events with who they are of. */
export function eventsWithActors(journal: Journal, from: number): string[] {
  const { words } = journal;
  const events: string[] = [];
  for (let row = from; row < journal.length; row++) {
    const kind: Kind = words[row * ROW_WORDS] & 0xff;
    const text = short(journal, row);
    if (text === null || eventOfKind(kind) === undefined) continue;
    events.push(`${Actor[(words[row * ROW_WORDS] >>> 8) & 15]} ${text}`);
  }
  return events;
}
