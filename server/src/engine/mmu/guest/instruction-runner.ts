/**
 * Running one instruction of a guest: natively, with every exit handled, until it is through (§5.3, §6.2). The number of
 * tries is bounded, whatever the tables are.
 */
import { high, highOf, low, lowOf } from '../../bits';
import { ACCESS_READ, ACCESS_WHAT, Actor, Kind } from '../../journal/events';
import { Outcome } from '../../vcpu/processor';
import { Register } from '../../vcpu/registers';
import { handleOutcome } from '../exits/handle-exit';
import { loadBytes, storeBytes } from '../../memory/bytes';
import { accessBits, partsOf, truncated, type Completion, type Handled, type Instruction } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { gpaByShadow } from '../contexts/shadow-walk';

/** More exits than any instruction needs that gets through at all. */
const MOST_EXITS = 512;
/** `access` of a read-modify-write in journal rows. */
const ACCESS_RMW = 3;

export class InstructionRunner {
  private readonly hosts: number[] = [0, 0];
  private firstGpa = 0;
  private firstReached = 0;

  /** @param guest whose instructions these are, for the journal */
  constructor(
    private readonly vcpu: KvmVcpu,
    private readonly guest: Actor,
  ) {}

  run(instruction: Instruction): Completion {
    const { vcpu } = this;
    vcpu.instruction = instruction;
    vcpu.rip = instruction.rip;
    const failed = vcpu.enter();
    const completion = failed ?? this.attempt(instruction);
    vcpu.instruction = null;
    return completion;
  }

  private attempt(instruction: Instruction): Completion {
    const { vcpu } = this;
    const { journal } = vcpu.kvm.trace;
    const access = accessBits(instruction);
    const small = instruction.kind === 'rmw' ? (access & ~ACCESS_WHAT) | ACCESS_RMW : access;
    journal.actor = this.guest;
    journal.row(Kind.access, 0, small & 0xf, instruction.lo, instruction.hi, instruction.size, 0);
    let loaded = instruction.kind !== 'rmw' || !vcpu.parts.rmwLoadsFirst;
    for (let exits = 0; exits < MOST_EXITS; exits++) {
      const outcome = this.translate(instruction, loaded ? access : (access & ~ACCESS_WHAT) | ACCESS_READ);
      if (outcome === null && !loaded) {
        loaded = true;
        continue;
      }
      if (outcome === null) return this.perform(instruction, small & 0xf);
      if (outcome.kind === 'done') return this.finish(outcome.completion);
      const { pendingFault } = vcpu;
      const failed = vcpu.enter();
      if (failed !== null) return failed;
      if (pendingFault !== null) return this.deliver(pendingFault);
    }
    return { kind: 'error', errno: 'ELOOP', why: `the instruction faults again and again: ${MOST_EXITS} exits without progress` };
  }

  /** Host addresses of the operand's parts. @returns null: found; 'done' or 'resume' after an exit or fault */
  private translate(instruction: Instruction, access: number): Handled | null {
    const { vcpu } = this;
    const { processor } = vcpu;
    const parts = partsOf(instruction);
    for (let i = 0; i < parts.length; i++) {
      const { lo, hi } = parts[i];
      vcpu.kvm.trace.journal.actor = Actor.processor;
      const outcome = processor.access(lo, hi, access);
      if (outcome === Outcome.ok) {
        this.hosts[i] = processor.host;
        if (i === 0) {
          this.firstGpa = processor.gpa;
          this.firstReached = processor.reached;
        }
        continue;
      }
      if (outcome === Outcome.generalProtection) return { kind: 'done', completion: { kind: 'general-protection', error: 0 } };
      if (outcome === Outcome.pageFault && vcpu.kvm.tdp) {
        return { kind: 'done', completion: { kind: 'page-fault', error: processor.errorCode, lo, hi } };
      }
      return handleOutcome(vcpu, outcome, lo, hi);
    }
    return null;
  }

  /** The operand is reached: read, write, or both. */
  private perform(instruction: Instruction, small: number): Completion {
    const { vcpu, hosts } = this;
    const memory = vcpu.parts.physical;
    const { kind, size } = instruction;
    const parts = partsOf(instruction);
    let value = 0n;
    if (kind !== 'write') {
      parts.forEach((part, i) => (value |= loadBytes(memory, hosts[i], part.size) << BigInt(part.offset * 8)));
    }
    const operand = truncated(instruction.value, size);
    const written = kind === 'rmw' ? truncated(value + operand, size) : operand;
    const { journal } = vcpu.kvm.trace;
    journal.actor = this.guest;
    const stores = kind === 'write' || kind === 'rmw';
    if (stores) value = written;
    journal.row(Kind.value, 0, small, low(hosts[0]), high(hosts[0]), lowOf(value), highOf(value));
    if (stores)
      parts.forEach((part, i) => storeBytes(memory, hosts[i], part.size, truncated(written >> BigInt(part.offset * 8), part.size)));
    return { kind: 'ok', gpa: this.gpa(instruction), at: this.firstReached, hpa: hosts[0], value };
  }

  /** Guest-physical address reached. Shadow tables lead to the hypervisor's own at once: their leaf knows the guest's frame. */
  private gpa({ lo, hi }: Instruction): number | null {
    const { vcpu } = this;
    if (vcpu.kvm.tdp) return this.firstGpa;
    return gpaByShadow(vcpu.kvm, vcpu.mmu.roots.current, lo, hi, this.firstGpa);
  }

  /** The instruction is through, or ended in a fault: the guest goes on with what follows. */
  private finish(completion: Completion): Completion {
    const { vcpu } = this;
    const failed = completion.kind === 'error' || completion.kind === 'vm-exit' ? null : vcpu.enter();
    if (failed !== null) return failed;
    return completion.kind === 'page-fault' || completion.kind === 'general-protection' ? this.deliver(completion) : completion;
  }

  /** A fault is delivered through the guest's IDT. */
  private deliver(fault: Completion): Completion {
    const { journal } = this.vcpu.kvm.trace;
    journal.actor = Actor.processor;
    const { lo, hi } = this.vcpu.instruction!;
    if (fault.kind === 'page-fault') {
      journal.row(Kind.guest_fault, 0, 14, fault.lo, fault.hi, fault.error, 0);
      this.vcpu.registers.set(Register.cr2, fault.lo, fault.hi);
    }
    if (fault.kind === 'general-protection') journal.row(Kind.guest_fault, 0, 13, lo, hi, fault.error, 0);
    return fault;
  }
}
