/** What a vCPU of a hypervisor is made of. */
import type { Actor } from '../../journal/events';
import type { PhysicalMemory } from '../../memory/physical-memory';
import type { TableRef } from '../../program';
import type { GuestFormats, LoadRules } from '../../vcpu/control-registers';
import type { Registers } from '../../vcpu/registers';
import type { Format } from '../../x86/formats';
import type { Activity } from './activity';
import type { Cpu } from './cpu';
import type { Kvm } from '../pages/kvm';

/** What a vCPU runs on, and with. */
export interface VcpuParts {
  readonly kvm: Kvm;
  /** Number of the vCPU in the machine. */
  readonly number: number;
  /** Index in its VM, as traces name it. */
  readonly index: number;
  /** Who its hypervisor is. */
  readonly actor: Actor;
  readonly registers: Registers;
  readonly processor: Cpu;
  readonly physical: PhysicalMemory;
  /** How KVM loads registers for the guest, and walks its tables: by the guest's CPUID. */
  readonly rules: LoadRules;
  readonly formats: GuestFormats;
  /** How the processor does, which does not look at it. */
  readonly native: { readonly rules: LoadRules; readonly formats: GuestFormats };
  readonly vendor: 'intel' | 'amd';
  /** Formats of the tables that the hypervisor hands to hardware. */
  readonly hardware: HardwareFormats;
  /** VPID or ASID; 0: none. */
  readonly vpid: number;
  /** As HostConfig has it. */
  readonly rmwLoadsFirst: boolean;
  /** Exits by CR accesses and INVLPG say their operands: so on Intel, and where AMD has decode assists. */
  readonly decodeAssists: boolean;
  /** The processor caches translations. */
  readonly tlbOn: boolean;
  /** Formats by name, apart from any registers. */
  readonly formatNamed: (name: TableRef['format']) => Format | null;
  readonly activity: Activity;
  /** The next answer of user space to an MMIO read. */
  readonly mmioRead: () => bigint;
}

export interface HardwareFormats {
  readonly pae: Format;
  readonly four: Format;
  readonly five: Format;
  /** EPT or nested tables; null: soft MMU. */
  readonly second: Format | null;
  /** EPT for roots without accessed and dirty flags. */
  readonly secondWithoutAd: Format | null;
}
