/** Silent walkers of all tables of a vCPU at a point of a run. */
import { STAGE_GUEST, STAGE_SECOND, STAGE_SHADOW } from '../../engine/journal/events';
import { keysOf, policyOf } from '../../engine/vcpu/control-registers';
import { Register } from '../../engine/vcpu/registers';
import type { Registers } from '../../engine/vcpu/registers';
import type { Format } from '../../engine/x86/formats';
import { Policy } from '../../engine/x86/permissions';
import { Walking } from '../../engine/x86/stage';
import type { Stage } from '../../engine/x86/stage';
import { Walker } from '../../engine/x86/walker';
import { addressOf } from '../machine-state';
import type { MachineState } from '../machine-state';
import { hardwareOf, isRoot, secondFormat, shadowRegisters, stagesOf } from './hardware';
import type { Hardware } from './hardware';
import { PhysicalMemoryOf } from './memory';

export interface Walkers {
  /** Null: nothing stands in hardware. */
  readonly hardware: Hardware | null;
  readonly registers: Registers;
  /** The guest's own tables, by its own rules; null without paging. */
  readonly guest: Walker | null;
  /** L1's tables for the VM; null: it has none (yet), or the VM is no guest's guest. */
  readonly l1: Walker | null;
  /** L0's shadow tables. */
  readonly shadow: Walker | null;
  /** L0's EPT or nested tables: of the VM's addresses, or under shadow tables of an L1 of those of L1. */
  readonly second: Walker | null;
}

export function walkersOf(state: MachineState, vm: number, vcpu: number): Walkers {
  const { parent } = state.machine.vms[vm];
  const registers = state.registers(vm, vcpu);
  const hardware = hardwareOf(state, vm, vcpu);
  const stages = stagesOf(state, vm);
  const context = hardware?.context ?? null;
  const second = context?.second
    ? silent(state, context.second, STAGE_SECOND, null, context.secondRootLo, context.secondRootHi, context.secondPolicy)
    : null;
  const ofHost = second ? [{ walker: second, memory: null }] : [];
  const shadow = context?.first && stages.shadow && !stages.second ? shadowWalker(state, hardware!, null) : null;
  const around = parent === null ? null : new PhysicalMemoryOf(state, parent, stages.shadow ? ofHost : []);
  const inHardware = around && context?.first && stages.shadow && stages.second ? shadowWalker(state, hardware!, around) : null;
  const l1 = inHardware ?? (around && l1Walker(state, vm, registers, around));
  const translating = stages.shadow ? [] : [...ofHost, ...(l1 ? [{ walker: l1, memory: around }] : [])];
  const format = state.formatsOf(vm).of(registers);
  const inMemory = state.host.vendor === 'amd' && !stages.shadow;
  const guest = format && guestWalker(state, format, registers, new PhysicalMemoryOf(state, vm, translating), inMemory);
  return { hardware, registers, guest, l1, shadow, second };
}

function guestWalker(state: MachineState, format: Format, registers: Registers, memory: Stage, pdptesInMemory: boolean): Walker {
  const walker = silent(state, format, STAGE_GUEST, memory, registers.lo(Register.cr3), registers.hi(Register.cr3), policyOf(registers));
  walker.keys = keysOf(registers);
  walker.pkru = registers.lo(Register.pkru);
  walker.pkrs = registers.lo(Register.pkrs);
  if (format.pae && !pdptesInMemory) walker.pdptes = registers.pdptes(Register.pdpte0);
  return walker;
}

/** Tables that a hypervisor in a guest has for its guest: EPT or nested ones, or shadow tables; in that guest's memory. */
function l1Walker(state: MachineState, vm: number, registers: Registers, memory: PhysicalMemoryOf): Walker | null {
  const { mmu, parent } = state.machine.vms[vm];
  const soft = mmu === 'soft';
  const root = soft ? Register.hwCr3 : Register.secondRoot;
  const [lo, hi] = [registers.lo(root), registers.hi(root)];
  if (registers.value(root) === 0n) return null;
  const hardware = soft ? shadowRegisters(state, registers) : null;
  const format = hardware ? state.formatsOf(parent!).of(hardware) : secondFormat(state, lo, state.maxPhyAddrOf(parent!));
  if (!format) return null;
  const word = (address: number): bigint => {
    const hpa = memory.hpaOf(address);
    return hpa === null ? 0n : state.word(hpa);
  };
  const byKvm = state.machine.vms[parent!].hypervisor !== 'script';
  if (byKvm && !isRoot(state, addressOf(lo & ~0xfff, hi), format, { id: vm, word })) return null;
  const policy = hardware ? policyOf(hardware) : format.ept ? 0 : Policy.nxe;
  const walker = silent(state, format, soft ? STAGE_SHADOW : STAGE_SECOND, memory, lo, hi, policy);
  if (format.pae) walker.pdptes = registers.pdptes(Register.hwPdpte0);
  return walker;
}

function shadowWalker(state: MachineState, { context }: Hardware, memory: Stage | null): Walker {
  const walker = silent(state, context.first!, STAGE_SHADOW, memory, context.rootLo, context.rootHi, context.policy);
  walker.pdptes = context.pdptes;
  return walker;
}

function silent(
  state: MachineState,
  format: Format,
  stage: number,
  behind: Stage | null,
  rootLo: number,
  rootHi: number,
  policy: number,
): Walker {
  const walker = new Walker(state.memory, format, stage, behind);
  walker.walking = Walking.silent;
  walker.use(format, rootLo, rootHi);
  walker.policy = policy;
  return walker;
}
