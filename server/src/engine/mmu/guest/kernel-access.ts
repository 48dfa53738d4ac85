/**
 * What a guest's kernel does to memory that it knows by guest-physical address: through a supervisor-writable mapping where
 * its current tables have one, otherwise as if it had one.
 */
import { high, highOf, join, low, lowOf } from '../../bits';
import { ACCESS_READ, ACCESS_WRITE, Actor } from '../../journal/events';
import { Outcome } from '../../vcpu/processor';
import { longMode } from '../../vcpu/control-registers';
import { Register } from '../../vcpu/registers';
import { UNMAPPED_TAG } from '../../vcpu/tags';
import { PageFault } from '../../x86/fault-codes';
import { Policy } from '../../x86/permissions';
import { handleOutcome } from '../exits/handle-exit';
import { pageFaultOf } from '../exits/page-fault-exit';
import { loadBytes, storeBytes } from '../../memory/bytes';
import { type Linear, type Root } from './own-tables';
import { TableWindows } from './table-windows';
import type { PhysicalMemory } from '../../memory/physical-memory';
import type { Kvm } from '../pages/kvm';
import { emulating } from '../trace';
import { codeOf, okWith, type Completion, type Instruction } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { updateWalker } from '../vcpu/vcpu-mmu';
import type { InstructionRunner } from './instruction-runner';
import { protectedByShadow } from '../pages/write-protect';
import { emulatedStore } from '../pages/write-flooding';
import { tryToUnsync } from '../pages/unsync';

const MOST_EXITS = 64;

interface KernelInstruction {
  readonly kind: 'read' | 'write';
  readonly gpa: number;
  readonly size: number;
  readonly value: bigint;
  readonly rip: number;
}

export class KernelAccess {
  constructor(
    private readonly vcpu: KvmVcpu,
    private readonly runner: InstructionRunner,
    /** The guest, for the journal. */
    private readonly actor: Actor,
  ) {}

  run(access: KernelInstruction, window = this.window(access.gpa)): Completion {
    if (window !== null) return this.runner.run(at(access, window));
    return this.vcpu.kvm.tdp ? this.below(access) : this.physical(access);
  }

  /** A supervisor-writable mapping of a guest-physical address under the current tables. */
  window(gpa: number): Linear | null {
    const { vcpu } = this;
    const { registers, kvm } = vcpu;
    const format = vcpu.parts.formats.of(registers);
    if (format === null) return { lo: low(gpa), hi: high(gpa) };
    const { walker } = vcpu.rootMmu;
    updateWalker(vcpu);
    const roots: Root[] = [];
    if (format.pae) {
      const pdptes = registers.pdptes(Register.pdpte0);
      for (let i = 0; i < 4; i++) {
        if ((pdptes[i * 2] & 1) !== 0)
          roots.push({ table: join(pdptes[i * 2] & ~0xfff, pdptes[i * 2 + 1] & 0xfffff), base: { lo: i << 30, hi: 0 } });
      }
    } else roots.push({ table: join(walker.rootLo, walker.rootHi), base: { lo: 0, hi: 0 } });
    const wp = (walker.policy & Policy.writeProtect) !== 0;
    return windowsOf(kvm, vcpu.parts.physical).find(format, roots, gpa, wp);
  }

  /** Hard MMU: only the second stage counts. */
  below(access: KernelInstruction): Completion {
    const { vcpu } = this;
    const before = vcpu.instruction;
    const { gpa } = access;
    vcpu.rip = access.rip;
    vcpu.instruction = at(access, { lo: low(gpa), hi: high(gpa) });
    const completion = this.belowMapping(access);
    vcpu.instruction = before;
    return completion;
  }

  private belowMapping({ kind, gpa, size, value }: KernelInstruction): Completion {
    const { vcpu } = this;
    const { processor, context } = vcpu;
    const { physical } = vcpu.parts;
    for (let exits = 0; exits < MOST_EXITS; exits++) {
      const failed = vcpu.enter();
      if (failed !== null) return failed;
      if (exits === 0) this.begins(kind, gpa, size);
      const { first, vpid } = context;
      // Another tag: what is cached for it must serve no linear address.
      context.first = null;
      context.vpid = vpid ^ UNMAPPED_TAG;
      processor.enter(context);
      vcpu.kvm.trace.journal.actor = Actor.processor;
      const outcome = processor.access(low(gpa), high(gpa), kind === 'write' ? ACCESS_WRITE : ACCESS_READ);
      const { host, reached } = processor;
      context.first = first;
      context.vpid = vpid;
      processor.enter(context);
      if (outcome === Outcome.ok) {
        vcpu.kvm.trace.journal.actor = this.actor;
        if (kind === 'read') return okWith(gpa, reached, host, loadBytes(physical, host, size));
        vcpu.kvm.trace.store(host, value);
        storeBytes(physical, host, size, value);
        return okWith(gpa, reached, host, value);
      }
      const handled = handleOutcome(vcpu, outcome, low(gpa), high(gpa));
      if (handled.kind === 'done') return vcpu.enter() ?? handled.completion;
    }
    return { kind: 'error', errno: 'ELOOP', why: 'the access faults again and again' };
  }

  /** Soft MMU, no mapping: as if the guest made one for the access and took it away again. */
  private physical(access: KernelInstruction): Completion {
    const { kind, gpa, size, value } = access;
    const { vcpu } = this;
    const { kvm } = vcpu;
    vcpu.rip = access.rip;
    const gfn = Math.floor(gpa / 4096);
    const write = kind === 'write';
    const failed = vcpu.enter();
    if (failed !== null) return failed;
    this.begins(kind, gpa, size);
    kvm.trace.journal.actor = vcpu.parts.actor;
    const address = kvm.guest.address(gpa, write);
    if (address < 0) return { kind: 'mmio', gpa, write, value };
    if (!write) return okWith(gpa, address, kvm.tables.look(address), loadBytes(kvm.tables, address, size));
    const host = kvm.tables.look(address);
    const done = okWith(gpa, address, host, value);
    if (protectedByShadow(kvm, gfn)) {
      const instruction = at(access, this.directMap(gpa));
      pageFaultOf(vcpu, PageFault.write | PageFault.present, instruction.lo, instruction.hi);
      if (tryToUnsync(kvm, gfn, true, false)) {
        const code = codeOf(instruction, longMode(vcpu.registers));
        kvm.trace.emit('kvm_emulate_insn', emulating(access.rip, code));
        emulatedStore(kvm, vcpu.pae, address, gpa, size, value);
        vcpu.rip += code.length;
        return vcpu.enter() ?? done;
      }
    }
    kvm.trace.journal.actor = vcpu.parts.actor;
    kvm.markPageDirty(kvm.slotOf(gfn), gfn);
    const stopped = vcpu.enter();
    if (stopped !== null) return stopped;
    kvm.trace.journal.actor = this.actor;
    kvm.trace.store(host, value);
    storeBytes(kvm.tables, address, size, value);
    return done;
  }

  private begins(kind: 'read' | 'write', gpa: number, size: number): void {
    const { trace } = this.vcpu.kvm;
    trace.journal.actor = this.actor;
    trace.emit('physical_access', { access: kind === 'write' ? ACCESS_WRITE : ACCESS_READ, gpa, size });
  }

  /** Where a Linux guest has all of its memory mapped: page_offset_base, or PAGE_OFFSET of a 32-bit one. */
  private directMap(gpa: number): Linear {
    if (longMode(this.vcpu.registers)) return { lo: low(gpa), hi: 0xffff_8880 + high(gpa) };
    return { lo: (0xc000_0000 + low(gpa)) | 0, hi: 0 };
  }
}

function at({ kind, size, value, rip }: KernelInstruction, { lo, hi }: Linear): Instruction {
  return { kind, lo, hi, size, user: false, implicit: false, ac: true, valueLo: lowOf(value), valueHi: highOf(value), rip };
}

/** By VM. */
const windows = new WeakMap<Kvm, TableWindows>();

function windowsOf(kvm: Kvm, physical: PhysicalMemory): TableWindows {
  let found = windows.get(kvm);
  if (found === undefined) {
    const look = (gpa: number): number => {
      const address = kvm.guest.look(gpa);
      return address < 0 ? -1 : kvm.tables.look(address);
    };
    windows.set(kvm, (found = new TableWindows(physical, look)));
  }
  return found;
}
