/**
 * Which tables translate a VM's addresses, and who walks them (§7.2): its own, those of the hypervisor around it, and where a VM
 * stands in a VM those of L1 and of L0.
 */
import type { MachineConfig } from '../engine/program';
import { Bank } from '../engine/vcpu/registers';
import type { Registers } from '../engine/vcpu/registers';
import type { Walker } from '../engine/x86/walker';
import { nested } from '../events/guests';
import type { MachineState } from './machine-state';
import { SlotStage, secondWalker, shadowWalker } from './tables';

/** Null where one name is enough: without a VM in a VM. */
export interface TableNames {
  /** The VM's own. */
  readonly own: string | null;
  /** Those of L1 for its guest. */
  readonly l1: string | null;
  /** Those of L0 in hardware while the VM runs. */
  readonly l0: string | null;
}

export interface WayTables {
  readonly names: TableNames;
  /** As the VM knows them. */
  readonly registers: Registers;
  /** In hardware while it runs, and number of the processor. */
  readonly hardware: Registers;
  readonly processor: number;
  /** L1's tables for the VM where only software walks them. */
  readonly l1: Walker | null;
  /** EPT or nested tables in hardware. */
  readonly second: Walker | null;
  /** They translate addresses of L1's memory, not of the VM's: L1's shadow tables lead there. */
  readonly below: boolean;
  /** Shadow tables in hardware. */
  readonly shadow: Walker | null;
}

export function tableNames(machine: MachineConfig, vm: number): TableNames {
  const { vms, host } = machine;
  const { parent, mmu } = vms[vm];
  const made = (by: string): string => (by === 'soft' ? 'SPT' : by.toUpperCase());
  if (parent === null) {
    return nested(machine) ? { own: 'PT1', l1: null, l0: `${made(mmu)}01` } : { own: null, l1: null, l0: null };
  }
  const around = vms[parent].mmu;
  const shares = mmu === 'soft' && around !== 'soft';
  return { own: 'PT2', l1: `${made(mmu)}12`, l0: `${made(around)}${shares ? (host.kvm.shareEptRoot ? '01' : '01g') : '02'}` };
}

export function wayTables(state: MachineState, vm: number, vcpu: number): WayTables {
  const { vms } = state.machine;
  const { parent, mmu } = vms[vm];
  const registers = state.registers(vm, vcpu);
  const names = tableNames(state.machine, vm);
  if (parent === null) {
    const second = secondWalker(state, registers);
    const shadow = mmu === 'soft' ? shadowWalker(state, registers) : null;
    return { names, registers, hardware: registers, processor: state.vcpuNumber(vm, vcpu), l1: null, second, below: false, shadow };
  }
  const runsOn = vcpu % vms[parent].vcpus.length;
  const hardware = state.registers(parent, runsOn, Bank.nested);
  const memory = new SlotStage(state, parent);
  const ofL1 = mmu === 'soft' ? shadowWalker(state, registers, memory) : secondWalker(state, registers, memory);
  const processor = state.vcpuNumber(parent, runsOn);
  if (vms[parent].mmu === 'soft') {
    return { names, registers, hardware, processor, l1: ofL1, second: null, below: false, shadow: shadowWalker(state, hardware) };
  }
  const second = secondWalker(state, hardware);
  const below = mmu === 'soft';
  return { names, registers, hardware, processor, l1: below ? null : ofL1, second, below, shadow: below ? ofL1 : null };
}
