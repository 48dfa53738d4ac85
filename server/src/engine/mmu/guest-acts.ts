/**
 * What a guest of one vCPU does by acts of a script: accesses with their #PF handler, stores to guest-physical addresses,
 * edits of tables by name.
 */
import { high, highOf, join, low, lowOf } from '../bits';
import { ACCESS_WRITE, Actor } from '../journal/events';
import type { AccessAct, Act, EditAct } from '../program';
import { RFLAGS_AC } from '../vcpu/control-registers';
import { Outcome } from '../vcpu/processor';
import { Register } from '../vcpu/registers';
import { SvmExit, VmxExit } from '../x86/exit-reasons';
import { Policy } from '../x86/permissions';
import { handleOutcome } from './exits';
import { storeBytes } from './guest-bytes';
import { findEntry, windowOn, type Found, type Linear } from './guest-tables';
import type { Completion, Instruction } from './instruction';
import { truncated } from './instruction';
import { NO_INFO, type KvmVcpu } from './kvm-vcpu';
import { MemslotStage } from './memslot-stage';
import { InstructionRunner } from './run';
import { trackWrite } from './track-write';
import { tryToUnsync } from './unsync';
import { protectedByShadow } from './state';

const RIP_BASE = 0x1_0000;
const RIP_STEP = 16;
const MOST_EXITS = 64;

export class GuestActs {
  private readonly runner: InstructionRunner;
  /** Values made up so far. */
  private values = 0n;

  constructor(
    readonly vcpu: KvmVcpu,
    private readonly actor: Actor,
    /** Performs the acts of a #PF handler. */
    private readonly perform: (act: Act) => void,
  ) {
    this.runner = new InstructionRunner(vcpu, actor);
  }

  access(act: AccessAct): Completion {
    const ac = act.ac ?? (this.vcpu.registers.lo(Register.rflags) & RFLAGS_AC) !== 0;
    const instruction: Instruction = {
      kind: act.access,
      lo: lowOf(act.address),
      hi: highOf(act.address),
      size: act.size,
      user: act.user,
      implicit: act.implicit,
      ac,
      value: act.value ?? this.madeUp(act),
      rip: ripOf(act.origin),
    };
    const first = this.runner.run(instruction);
    if (first.kind !== 'page-fault' || act.handler === null) return first;
    for (const each of act.handler) this.perform(each);
    return this.runner.run(instruction);
  }

  /** The guest kernel stores to an address it knows by its guest-physical name. */
  store(origin: number, gpa: number, size: 4 | 8, value: bigint): Completion {
    const window = this.window(gpa);
    if (window !== null) return this.write(origin, window, size, value);
    return this.vcpu.kvm.tdp ? this.storeBelow(gpa, size, value) : this.storePhysical(gpa, size, value);
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
    const format = vcpu.formatNamed(table.format);
    if (format === null) return null;
    const stage = new MemslotStage(() => vcpu.kvm.guest);
    return findEntry(vcpu.parts.physical, format, table.root, stage, lowOf(address), highOf(address), level);
  }

  private write(origin: number, { lo, hi }: Linear, size: number, value: bigint): Completion {
    return this.runner.run({ kind: 'write', lo, hi, size, user: false, implicit: false, ac: true, value, rip: ripOf(origin) });
  }

  /** A supervisor-writable mapping of a guest-physical address under the current tables. */
  private window(gpa: number): Linear | null {
    const { vcpu } = this;
    const { registers, kvm } = vcpu;
    const format = vcpu.parts.formats.of(registers);
    if (format === null) return { lo: low(gpa), hi: high(gpa) };
    const { walker } = vcpu.rootMmu;
    vcpu.updateWalker();
    const roots: { table: number; base: Linear }[] = [];
    if (format.pae) {
      const pdptes = registers.pdptes(Register.pdpte0);
      for (let i = 0; i < 4; i++) {
        if ((pdptes[i * 2] & 1) !== 0)
          roots.push({ table: join(pdptes[i * 2] & ~0xfff, pdptes[i * 2 + 1] & 0xfffff), base: { lo: i << 30, hi: 0 } });
      }
    } else roots.push({ table: join(walker.rootLo, walker.rootHi), base: { lo: 0, hi: 0 } });
    const wp = (walker.policy & Policy.writeProtect) !== 0;
    return windowOn(vcpu.parts.physical, kvm.guest, format, roots, gpa, wp);
  }

  /** Hard MMU, no mapping: as if the guest had one, so only the second stage counts. */
  private storeBelow(gpa: number, size: number, value: bigint): Completion {
    const { vcpu } = this;
    const { processor, context } = vcpu;
    for (let exits = 0; exits < MOST_EXITS; exits++) {
      const failed = vcpu.enter();
      if (failed !== null) return failed;
      const { first } = context;
      context.first = null;
      processor.enter(context);
      vcpu.kvm.trace.journal.actor = Actor.processor;
      const outcome = processor.access(low(gpa), high(gpa), ACCESS_WRITE);
      const host = processor.host;
      context.first = first;
      processor.enter(context);
      if (outcome === Outcome.ok) {
        vcpu.kvm.trace.journal.actor = this.actor;
        storeBytes(vcpu.parts.physical, host, size, value);
        return { kind: 'ok', gpa, hpa: host, value };
      }
      const handled = handleOutcome(vcpu, outcome, low(gpa), high(gpa));
      if (handled.kind === 'done') return vcpu.enter() ?? handled.completion;
    }
    return { kind: 'error', errno: 'ELOOP', why: 'the store faults again and again' };
  }

  /** Soft MMU, no mapping: as if the guest made one for the store and took it away again. */
  private storePhysical(gpa: number, size: number, value: bigint): Completion {
    const { vcpu } = this;
    const { kvm } = vcpu;
    const gfn = Math.floor(gpa / 4096);
    const failed = vcpu.enter();
    if (failed !== null) return failed;
    const address = kvm.guest.address(gpa, true);
    if (address < 0) return { kind: 'mmio', gpa, write: true, value };
    if (protectedByShadow(kvm, gfn)) {
      const intel = vcpu.parts.vendor === 'intel';
      vcpu.exited(intel ? VmxExit.EXCEPTION_NMI : SvmExit.PF_EXCP, NO_INFO);
      const emulated = tryToUnsync(kvm, gfn, true, false);
      storeBytes(kvm.tables, address, size, value);
      if (emulated) trackWrite(kvm, gpa, size, value);
    } else {
      kvm.trace.journal.actor = this.actor;
      storeBytes(kvm.tables, address, size, value);
    }
    kvm.guest.markDirty(gfn);
    return vcpu.enter() ?? { kind: 'ok', gpa, hpa: address, value };
  }

  private madeUp({ access }: AccessAct): bigint {
    if (access === 'rmw') return 1n;
    return access === 'write' ? 0x5eed_0000_0000_0000n + ++this.values : 0n;
  }
}

export function ripOf(origin: number): number {
  return RIP_BASE + RIP_STEP * Math.max(origin, 0);
}
