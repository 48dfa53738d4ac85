/**
 * What a guest of one vCPU does by acts of a script: accesses with their #PF handler, stores to guest-physical addresses,
 * edits of tables by name.
 */
import { highOf, lowOf } from '../../bits';
import type { Actor } from '../../journal/events';
import type { AccessAct, Act, EditAct } from '../../program';
import { RFLAGS_AC } from '../../vcpu/control-registers';
import { Register } from '../../vcpu/registers';
import { findEntry, type Found } from './own-tables';
import type { Completion, Instruction } from '../vcpu/instruction';
import { truncated } from '../vcpu/instruction';
import { GuestPhysical } from './guest-physical';
import { KernelAccess } from './kernel-access';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { formatNamed } from '../vcpu/vcpu-mmu';
import { MemslotStage } from '../contexts/memslot-stage';
import { InstructionRunner } from './instruction-runner';

const RIP_BASE = 0x1_0000;
const RIP_STEP = 16;

export class GuestActs {
  readonly kernel: KernelAccess;
  private readonly runner: InstructionRunner;
  /** Values made up so far. */
  private values = 0;

  constructor(
    readonly vcpu: KvmVcpu,
    actor: Actor,
    /** Performs the acts of a #PF handler. */
    private readonly perform: (act: Act) => void,
  ) {
    this.runner = new InstructionRunner(vcpu, actor);
    this.kernel = new KernelAccess(vcpu, this.runner, actor);
  }

  /** @param lo,hi the linear address: of the act, or of its repetition */
  access(act: AccessAct, lo: number, hi: number): Completion {
    const ac = act.ac ?? (this.vcpu.registers.lo(Register.rflags) & RFLAGS_AC) !== 0;
    const instruction: Instruction = {
      kind: act.access,
      lo,
      hi,
      size: act.size,
      user: act.user,
      implicit: act.implicit,
      ac,
      valueLo: act.value === null ? this.madeUpLow(act) : lowOf(act.value),
      valueHi: act.value === null ? madeUpHigh(act) : highOf(act.value),
      rip: ripOf(act.origin),
    };
    const first = this.runner.run(instruction);
    if (first.kind !== 'page-fault' || act.handler === null) return first;
    for (const each of act.handler) this.perform(each);
    return this.runner.run(instruction);
  }

  /** The guest kernel stores to an address it knows by its guest-physical name. */
  store(origin: number, gpa: number, size: 4 | 8, value: bigint): Completion {
    return this.kernel.run({ kind: 'write', gpa, size, value, rip: ripOf(origin) });
  }

  edit(act: EditAct): Completion {
    const found = this.entryOf(act);
    if (found === null) return { kind: 'error', errno: 'ENOENT', why: 'the tables have no such entry' };
    const narrow = act.table.format === '32-bit';
    const value = truncated((found.value & ~act.clear) | act.set, narrow ? 4 : 8);
    return this.store(act.origin, found.at, narrow ? 4 : 8, value);
  }

  private entryOf({ table, address, level }: EditAct): Found | null {
    const { vcpu } = this;
    const format = formatNamed(vcpu, table.format);
    if (format === null) return null;
    const stage = new GuestPhysical(vcpu, new MemslotStage(vcpu.kvm, false, true));
    return findEntry(vcpu.parts.physical, format, table.root, stage, lowOf(address), highOf(address), level);
  }

  private madeUpLow({ access }: AccessAct): number {
    if (access === 'rmw') return 1;
    return access === 'write' ? ++this.values | 0 : 0;
  }
}

const madeUpHigh = ({ access }: AccessAct): number => (access === 'write' ? 0x5eed_0000 : 0);

export function ripOf(origin: number): number {
  return RIP_BASE + RIP_STEP * Math.max(origin, 0);
}
