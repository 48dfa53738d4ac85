/**
 * Running one instruction of a guest: natively, with every exit handled, until it is through (§5.3, §6.2). The number of
 * tries is bounded, whatever the tables are.
 */
import { high, highOf, low, lowOf, toBigInt } from '../../bits';
import { ACCESS_READ, ACCESS_WHAT, Actor, Kind } from '../../journal/events';
import { Outcome } from '../../vcpu/processor';
import { Register } from '../../vcpu/registers';
import { fixUpPageFault, interceptsPageFault } from '../exits/smaller-maxphyaddr';
import { handleOutcome } from '../exits/handle-exit';
import { Halves, inOneWord, loadBytes, loadHalves, storeBytes, storeHalves, truncate } from '../../memory/bytes';
import { accessBits, inOnePage, partsOf, truncated, type Completion, type Handled, type Instruction } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { gpaByShadow } from '../contexts/shadow-walk';

/** More exits than any instruction needs that gets through at all. */
const MOST_EXITS = 512;
/** `access` of a read-modify-write in journal rows. */
const ACCESS_RMW = 3;

export class InstructionRunner {
  private readonly hosts: number[] = [0, 0];
  /** What is loaded or stored. */
  private readonly value = new Halves();
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
    if (inOnePage(instruction)) return this.translatePart(0, instruction.lo, instruction.hi, access);
    const [first, second] = partsOf(instruction);
    return this.translatePart(0, first.lo, first.hi, access) ?? this.translatePart(1, second.lo, second.hi, access);
  }

  private translatePart(part: 0 | 1, lo: number, hi: number, access: number): Handled | null {
    const { vcpu } = this;
    const { processor } = vcpu;
    vcpu.kvm.trace.journal.actor = Actor.processor;
    const outcome = processor.access(lo, hi, access);
    if (outcome === Outcome.ok) {
      this.hosts[part] = processor.host;
      if (part === 0) {
        this.firstGpa = processor.gpa;
        this.firstReached = processor.reached;
      }
      return null;
    }
    if (outcome === Outcome.generalProtection) return { kind: 'done', completion: { kind: 'general-protection', error: 0 } };
    if (outcome === Outcome.pageFault && vcpu.kvm.tdp) {
      if (interceptsPageFault(vcpu, processor.errorCode)) {
        fixUpPageFault(vcpu, processor.errorCode, lo, hi);
        return { kind: 'resume' };
      }
      return { kind: 'done', completion: { kind: 'page-fault', error: processor.errorCode, lo, hi } };
    }
    return handleOutcome(vcpu, outcome, lo, hi);
  }

  /** The operand is reached: read, write, or both. */
  private perform(instruction: Instruction, small: number): Completion {
    const { vcpu, value } = this;
    const host = this.hosts[0];
    const memory = vcpu.parts.physical;
    const { kind, size, valueLo, valueHi } = instruction;
    const whole = inOnePage(instruction) && inOneWord(host, size);
    if (kind !== 'write' && whole) loadHalves(memory, host, size, value);
    else if (kind !== 'write') this.loadParts(instruction);
    if (kind === 'write') {
      value.lo = valueLo;
      value.hi = valueHi;
    } else if (kind === 'rmw') add(value, valueLo, valueHi);
    truncate(value, size);
    const { journal } = vcpu.kvm.trace;
    journal.actor = this.guest;
    journal.row(Kind.value, 0, small, low(host), high(host), value.lo, value.hi);
    if (kind === 'write' || kind === 'rmw') {
      if (whole) storeHalves(memory, host, size, value);
      else this.storeParts(instruction);
    }
    return { kind: 'ok', gpa: this.gpa(instruction), at: this.firstReached, hpa: host, valueLo: value.lo, valueHi: value.hi };
  }

  /** An operand over two words or two pages. */
  private loadParts(instruction: Instruction): void {
    const memory = this.vcpu.parts.physical;
    let value = 0n;
    partsOf(instruction).forEach(({ size, offset }, i) => (value |= loadBytes(memory, this.hosts[i], size) << BigInt(offset * 8)));
    this.value.lo = lowOf(value);
    this.value.hi = highOf(value);
  }

  private storeParts(instruction: Instruction): void {
    const memory = this.vcpu.parts.physical;
    const value = toBigInt(this.value.lo, this.value.hi);
    partsOf(instruction).forEach(({ size, offset }, i) =>
      storeBytes(memory, this.hosts[i], size, truncated(value >> BigInt(offset * 8), size)),
    );
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

/** 64-bit addition. */
function add(value: Halves, lo: number, hi: number): void {
  const sum = (value.lo >>> 0) + (lo >>> 0);
  value.hi = (value.hi + hi + (sum > 0xffff_ffff ? 1 : 0)) | 0;
  value.lo = sum | 0;
}
