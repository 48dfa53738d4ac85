/**
 * What stands in a processor while a vCPU runs, as a point of a run has it: the context of the engine's processor, read back from the
 * registers in hardware.
 */
import { STAGE_SHADOW } from '../../engine/journal/events';
import { Space } from '../../engine/journal/spaces';
import { Role, levelOf } from '../../engine/mmu/pages/role';
import { shadowPageAt } from '../../engine/mmu/pages/shadow-page';
import { useGuestRegisters } from '../../engine/vcpu/guest-context';
import { Context } from '../../engine/vcpu/processor-context';
import { Bank, Register } from '../../engine/vcpu/registers';
import type { Registers } from '../../engine/vcpu/registers';
import { eptFormat, nptFormat } from '../../engine/x86/formats';
import type { Format } from '../../engine/x86/formats';
import { Policy } from '../../engine/x86/permissions';
import { slotsAt } from '../../engine/memory/slot-records';
import { addressOf } from '../machine-state';
import type { MachineState } from '../machine-state';

export interface Hardware {
  /** Number of the processor. */
  readonly processor: number;
  readonly registers: Registers;
  /** Without a PML log. */
  readonly context: Context;
  /** Pages that become dirty are logged (PML). */
  readonly logs: boolean;
}

/** Whose tables linear addresses go through in hardware, and whether a second stage lies behind. */
interface Stages {
  /** Shadow tables of a hypervisor, not the guest's own. */
  readonly shadow: boolean;
  readonly second: boolean;
}

/** Of a vCPU: what its hypervisor, and those around, make of it. */
export function stagesOf({ machine: { vms } }: MachineState, vm: number): Stages {
  const { parent, mmu } = vms[vm];
  const outer = parent === null ? mmu : vms[parent].mmu;
  return { shadow: mmu === 'soft', second: outer !== 'soft' };
}

/** @returns null when it has no tables there: it has not run yet, or they are gone and KVM makes others on the way in */
export function hardwareOf(state: MachineState, vm: number, vcpu: number): Hardware | null {
  const { vms } = state.machine;
  const { parent } = vms[vm];
  const [outer, on] = parent === null ? [vm, vcpu] : [parent, vcpu % vms[parent].vcpus.length];
  const registers = state.registers(outer, on, parent === null ? Bank.own : Bank.nested);
  const { shadow, second } = stagesOf(state, vm);
  const context = new Context();
  const first = second ? registers : shadowRegisters(state, registers);
  const inMemory = state.host.vendor === 'amd' && !shadow;
  useGuestRegisters(context, first, state.formats, inMemory);
  if (shadow) {
    context.firstStage = STAGE_SHADOW;
    context.keys = 0;
    context.globalPages = false;
  }
  context.vpid = registers.lo(Register.vpid) & 0xffff;
  const root = second ? Register.secondRoot : Register.hwCr3;
  if (registers.value(root) === 0n) return null;
  if (second) useSecond(state, context, registers);
  if (!isLive(state, context, second)) return null;
  return { processor: state.vcpuNumber(outer, on), registers, context, logs: parent === null && logs(state, vm, registers) };
}

/** What hardware has in CR0, CR3, CR4 and EFER, as if it were the guest's own. */
export function shadowRegisters(state: MachineState, registers: Registers): Registers {
  const hardware = state.blankRegisters();
  for (const [to, from] of IN_HARDWARE) hardware.set(to, registers.lo(from), registers.hi(from));
  return hardware;
}

/** What the guest has, and what hardware has for it. */
export const IN_HARDWARE: readonly (readonly [Register, Register])[] = [
  [Register.cr0, Register.hwCr0],
  [Register.cr3, Register.hwCr3],
  [Register.cr4, Register.hwCr4],
  [Register.efer, Register.hwEfer],
  [Register.pdpte0, Register.hwPdpte0],
  [Register.pdpte1, Register.hwPdpte1],
  [Register.pdpte2, Register.hwPdpte2],
  [Register.pdpte3, Register.hwPdpte3],
];

function useSecond(state: MachineState, context: Context, registers: Registers): void {
  const lo = registers.lo(Register.secondRoot);
  context.second = secondFormat(state, lo);
  context.secondRootLo = lo;
  context.secondRootHi = registers.hi(Register.secondRoot);
  context.secondPolicy = context.second.ept ? 0 : Policy.nxe;
}

/** PML is on while some slot logs (engine/mmu/vmm/hypervisor.ts: updatePml), and not while a guest's guest runs. */
function logs(state: MachineState, vm: number, registers: Registers): boolean {
  return registers.value(Register.pmlAddress) !== 0n && slotsAt(state.words(Space.slot), vm).some(({ logDirty }) => logDirty);
}

/** Format of EPT or nested tables. @param root low half of EPTP or nCR3 @param maxPhyAddr of who walks them */
export function secondFormat({ host }: MachineState, root: number, maxPhyAddr = host.maxPhyAddr): Format {
  const { features, vendor } = host;
  if (vendor === 'amd')
    return nptFormat({ mode: features.la57 ? '5-level' : '4-level', nxe: features.nx, page1G: features.page1G, maxPhyAddr });
  return eptFormat({
    levels: ((root >>> 3) & 7) === 4 ? 5 : 4,
    accessedDirty: (root & (1 << 6)) !== 0,
    executeOnly: features.eptExecuteOnly,
    page1G: features.ept1G,
    maxPhyAddr,
  });
}

/** The root in hardware is still KVM's: the frame of one that is gone may be another table by now. */
function isLive(state: MachineState, context: Context, second: boolean): boolean {
  const [lo, hi] = second ? [context.secondRootLo, context.secondRootHi] : [context.rootLo, context.rootHi];
  const format = second ? context.second! : context.first!;
  return isRoot(state, addressOf(lo & ~0xfff, hi), format, { id: 0, word: (address) => state.word(address) });
}

/** The memory that a hypervisor keeps its tables in. */
interface TableMemory {
  /** As keys of {@link Space.shadowPage} have it. */
  readonly id: number;
  word(address: number): bigint;
}

/** KVM has a root of this format at an address. */
export function isRoot(state: MachineState, address: number, { pae, levels }: Format, { id, word }: TableMemory): boolean {
  const pages = state.words(Space.shadowPage);
  const page = shadowPageAt(pages, address / 4096, id);
  if (page !== null) return !pae && (page.role & Role.invalid) === 0 && levelOf(page.role) === levels;
  // Four entries in a page of the vCPU, or a dummy root.
  const entries = [0, 1, 2, 3].map((i) => word(address + i * 8)).filter((entry) => entry !== 0n);
  return entries.every((entry) => pae && shadowPageAt(pages, Number((entry >> 12n) & 0xff_ffff_ffffn), id) !== null);
}
