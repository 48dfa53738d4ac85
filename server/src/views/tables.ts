/** The tables by which a vCPU runs at a point of a run, as silent walkers over the state there. */
import { STAGE_GUEST, STAGE_SECOND, STAGE_SHADOW } from '../engine/journal/events';
import { ACCESS_READ } from '../engine/journal/events';
import { high, low } from '../engine/bits';
import { keysOf, policyOf } from '../engine/vcpu/control-registers';
import { Register } from '../engine/vcpu/registers';
import type { Registers } from '../engine/vcpu/registers';
import { eptFormat, nptFormat } from '../engine/x86/formats';
import type { Format } from '../engine/x86/formats';
import { Access, HOST_ALL, Rights } from '../engine/x86/permissions';
import { Walk, Walking } from '../engine/x86/stage';
import type { Stage } from '../engine/x86/stage';
import { Walker } from '../engine/x86/walker';
import { addressOf } from './machine-state';
import type { MachineState } from './machine-state';

/** A VM's memory slots, and those around it, as the stage behind its tables: how KVM itself reads guest memory. */
export class SlotStage implements Stage {
  readonly tableAccess = ACCESS_READ | Access.table;
  outLo = 0;
  outHi = 0;
  hostLo = 0;
  hostHi = 0;
  readonly hostRights = HOST_ALL | Rights.dirty;

  constructor(
    private readonly state: MachineState,
    private readonly vm: number,
  ) {}

  translate(lo: number, hi: number): Walk {
    this.outLo = lo;
    this.outHi = hi;
    const hpa = this.state.hpaOf(this.vm, addressOf(lo, hi));
    if (hpa === null) return Walk.absent;
    this.hostLo = low(hpa);
    this.hostHi = high(hpa);
    return Walk.ok;
  }
}

/** What the guest's own tables are; null without paging. Walked without regard to rights, so that the whole way is seen. */
export function guestWalker(state: MachineState, vm: number, registers: Registers): Walker | null {
  const format = state.formats.of(registers);
  if (!format) return null;
  const walker = silent(state, format, STAGE_GUEST, new SlotStage(state, vm));
  walker.use(format, registers.lo(Register.cr3), registers.hi(Register.cr3));
  const nested = state.host.vendor === 'amd' && registers.value(Register.secondRoot) !== 0n;
  if (format.pae && !nested) walker.pdptes = registers.pdptes(Register.pdpte0);
  return walker;
}

/** `Policy` and `Keys` bits by which the guest's tables decide. */
export function guestRules(registers: Registers): { policy: number; keys: number; pkru: number; pkrs: number } {
  return { policy: policyOf(registers), keys: keysOf(registers), pkru: registers.lo(Register.pkru), pkrs: registers.lo(Register.pkrs) };
}

/**
 * EPT or nested tables that these registers name; null when there is none (yet).
 *
 * @param behind where the tables lie; null: in the host's memory
 */
export function secondWalker(state: MachineState, registers: Registers, behind: Stage | null = null): Walker | null {
  const lo = registers.lo(Register.secondRoot);
  const hi = registers.hi(Register.secondRoot);
  if ((lo | hi) === 0) return null;
  const { features, maxPhyAddr, vendor } = state.host;
  const format =
    vendor === 'intel'
      ? eptFormat({
          levels: ((lo >>> 3) & 7) === 4 ? 5 : 4,
          accessedDirty: (lo & (1 << 6)) !== 0,
          executeOnly: features.eptExecuteOnly,
          page1G: features.ept1G,
          maxPhyAddr,
        })
      : nptFormat({ mode: features.la57 ? '5-level' : '4-level', nxe: features.nx, page1G: features.page1G, maxPhyAddr });
  const walker = silent(state, format, STAGE_SECOND, behind);
  walker.use(format, lo, hi);
  return walker;
}

/** The shadow tables in hardware's CR3 under soft MMU; null when there are none (yet). @param behind as of {@link secondWalker} */
export function shadowWalker(state: MachineState, registers: Registers, behind: Stage | null = null): Walker | null {
  if (registers.value(Register.hwCr3) === 0n) return null;
  const hardware = state.blankRegisters();
  const pairs = [
    [Register.cr0, Register.hwCr0],
    [Register.cr4, Register.hwCr4],
    [Register.efer, Register.hwEfer],
  ] as const;
  for (const [to, from] of pairs) hardware.set(to, registers.lo(from), registers.hi(from));
  const format = state.formats.of(hardware);
  if (!format) return null;
  const walker = silent(state, format, STAGE_SHADOW, behind);
  walker.use(format, registers.lo(Register.hwCr3), registers.hi(Register.hwCr3));
  if (format.pae) walker.pdptes = registers.pdptes(Register.hwPdpte0);
  return walker;
}

function silent(state: MachineState, format: Format, stage: number, behind: Stage | null): Walker {
  const walker = new Walker(state.memory, format, stage, behind);
  walker.walking = Walking.silent;
  return walker;
}
