/**
 * The instruction emulator (§5.3 P10, §8.2; x86.c: x86_emulate_instruction, emulator_read_write_onepage):
 * carries the guest's instruction out with the guest's rights, where hardware must not.
 */
import { highOf, join, lowOf } from '../../bits';
import { Actor } from '../../journal/events';
import { longMode } from '../../vcpu/control-registers';
import { PageFault } from '../../x86/fault-codes';
import { Access, GUEST_ALL, HOST_ALL, Rights, permits } from '../../x86/permissions';
import { Walk } from '../../x86/stage';
import { loadBytes } from '../../memory/bytes';
import {
  codeOf,
  failedRun,
  okWith,
  operandOf,
  partsOf,
  truncated,
  type Completion,
  type Handled,
  type Instruction,
  type Part,
} from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { accessOfCode } from '../contexts/mmu-context';
import { Acc } from '../pages/role';
import { emulatedStore } from '../pages/write-flooding';
import { MmioType, UserExit } from '../../journal/enumerations';
import { emulating, INJECTED_GP } from '../trace';
import { givesUpProtection, reexecutes } from './unprotect';

/**
 * @param lo what faulted: linear address; of a direct MMU guest-physical
 * @param allowRetry the fault was one of write protection, which can be given up instead
 * @param faulted false: nothing is known of what faulted, as for kvm_emulate_instruction
 */
export function emulate(vcpu: KvmVcpu, lo: number, hi: number, allowRetry: boolean, faulted = true): Handled {
  const { kvm, instruction } = vcpu;
  if (instruction === null) return { kind: 'done', completion: loadPdptesFromDevice(vcpu) };
  const writesOwnTable = vcpu.writeFaultToShadowTable;
  vcpu.writeFaultToShadowTable = false;
  if (instruction.kind === 'fetch') {
    // It must be fetched before it can be decoded: with the guest's rights first (kvm_fetch_guest_virt).
    const denied = deniedFetch(vcpu, instruction);
    if (denied !== null) return { kind: 'done', completion: denied };
    if (allowRetry && reexecutes(vcpu, lo, hi, writesOwnTable)) return { kind: 'resume' };
    kvm.trace.emit('kvm_emulate_insn', emulating(instruction.rip, [], true));
    kvm.trace.emit('kvm_userspace_exit', { reason: UserExit.internalError, gpa: 0, errno: 0 });
    return failedRun('KVM_INTERNAL_ERROR', 'the instruction cannot be fetched where no memory is');
  }
  const code = codeOf(instruction, longMode(vcpu.registers));
  kvm.trace.emit('kvm_emulate_insn', emulating(instruction.rip, code));
  if (givesUpProtection(vcpu, instruction, lo, hi, allowRetry)) return { kind: 'resume' };
  const completion = new Emulation(vcpu, instruction, lo, hi, faulted && vcpu.mmu.direct).run();
  if (completion.kind === 'ok' || completion.kind === 'mmio') vcpu.rip += code.length;
  return { kind: 'done', completion };
}

/** The access was MOV CR's own: its PDPTEs are not memory, and emulating it ends in #GP (x86.c: load_pdptrs). */
function loadPdptesFromDevice(vcpu: KvmVcpu): Completion {
  vcpu.kvm.trace.emit('kvm_emulate_insn', emulating(vcpu.rip, []));
  vcpu.kvm.trace.emit('kvm_inj_exception', INJECTED_GP);
  return { kind: 'general-protection', error: 0 };
}

/** The fault that the guest's tables raise for fetching an instruction; null: they allow it. */
function deniedFetch(vcpu: KvmVcpu, { lo, hi, user }: Instruction): Completion | null {
  const { walkMmu } = vcpu;
  if (!walkMmu.translates) return null;
  const status = walkMmu.walk(lo, hi, PageFault.fetch | (user ? PageFault.user : 0), vcpu.alignmentCheck);
  if (status === Walk.ok) return null;
  return { kind: 'page-fault', error: vcpu.injectWalkFault(walkMmu, lo, hi, status), lo, hi };
}

/** Where a part of an operand is. */
interface Place {
  readonly gpa: number;
  /** The vCPU remembers it as MMIO: no slot is asked (emulator_read_write_onepage). */
  readonly mmio: boolean;
}

class Emulation {
  private readonly parts: readonly Part[];
  /** The last MMIO access, which user space sees. */
  private mmio: Completion | null = null;
  private gpa = -1;

  constructor(
    private readonly vcpu: KvmVcpu,
    private readonly instruction: Instruction,
    private readonly faultLo: number,
    private readonly faultHi: number,
    /** It is guest-physical, and the emulator need not look for it again (gpa_available). */
    private readonly gpaKnown: boolean,
  ) {
    this.parts = partsOf(instruction);
  }

  run(): Completion {
    const { kind, size } = this.instruction;
    const operand = operandOf(this.instruction);
    let value = operand;
    if (kind !== 'write') {
      const read = this.read();
      if (typeof read !== 'bigint') return read;
      value = kind === 'rmw' ? truncated(read + operand, size) : read;
    }
    if (kind !== 'read') {
      const failure = this.write(value);
      if (failure !== null) return failure;
    }
    if (this.mmio !== null) return this.mmio;
    const { guest, tables } = this.vcpu.kvm;
    const address = guest.look(this.gpa);
    const at = address < 0 ? null : address;
    return okWith(this.gpa, at, at === null ? null : tables.look(at), value);
  }

  private read(): bigint | Completion {
    const { vcpu } = this;
    let value = 0n;
    let pending = -1;
    for (const part of this.parts) {
      const place = this.locate(part, false);
      if ('kind' in place) return place;
      const { gpa } = place;
      if (part.offset === 0) this.gpa = gpa;
      const address = place.mmio ? -1 : vcpu.kvm.guest.address(gpa, false);
      let bits: bigint;
      if (address >= 0) bits = loadBytes(vcpu.kvm.tables, address, part.size);
      else {
        vcpu.kvm.trace.emit('kvm_mmio', { type: MmioType.unsatisfiedRead, gpa, val: 0, len: part.size });
        if (pending < 0) pending = gpa;
        bits = this.answer(gpa, part.size);
      }
      value |= bits << BigInt(part.offset * 8);
    }
    if (pending >= 0) this.mmio = { kind: 'mmio', gpa: pending, write: false, value };
    return value;
  }

  /** User space performs the read; KVM_RUN completes it. */
  private answer(gpa: number, size: number): bigint {
    const { vcpu } = this;
    vcpu.kvm.trace.emit('kvm_userspace_exit', { reason: UserExit.mmio, gpa, errno: 0 });
    const { journal } = vcpu.kvm.trace;
    journal.actor = Actor.user;
    const bits = truncated(vcpu.parts.mmioRead(), size);
    journal.actor = vcpu.parts.actor;
    vcpu.kvm.trace.emit('kvm_mmio', { type: MmioType.read, gpa, val: { lo: lowOf(bits), hi: highOf(bits) }, len: size });
    return bits;
  }

  private write(value: bigint): Completion | null {
    const { vcpu } = this;
    const { kvm } = vcpu;
    for (const part of this.parts) {
      const place = this.locate(part, true);
      if ('kind' in place) return place;
      const { gpa } = place;
      if (part.offset === 0) this.gpa = gpa;
      const bits = truncated(value >> BigInt(part.offset * 8), part.size);
      const address = place.mmio ? -1 : kvm.guest.address(gpa, true);
      if (address >= 0) {
        emulatedStore(kvm, vcpu.pae, address, gpa, part.size, bits);
        continue;
      }
      kvm.trace.emit('kvm_mmio', { type: MmioType.write, gpa, val: { lo: lowOf(bits), hi: highOf(bits) }, len: part.size });
      kvm.trace.emit('kvm_userspace_exit', { reason: UserExit.mmio, gpa, errno: 0 });
      this.mmio = { kind: 'mmio', gpa, write: true, value };
    }
    return null;
  }

  /** Where a part is, as the emulator finds it; or the fault that it raises. */
  private locate(part: Part, write: boolean): Place | Completion {
    const { vcpu } = this;
    const { lo, hi } = part;
    if (this.gpaKnown && ((lo ^ this.faultLo) & 0xfff) === 0) return this.placeAt(part, join(this.faultLo, this.faultHi), write);
    const code = (write ? PageFault.write : 0) | (this.instruction.user ? PageFault.user : 0);
    if (vcpu.mmio.matchesGva(lo, hi) && mmioPermitted(vcpu, code)) {
      const gpa = vcpu.mmio.gfn * 4096 + (lo & 0xfff);
      vcpu.kvm.trace.emit('vcpu_match_mmio', { write, gpa_match: false, gva: { lo, hi }, gpa });
      return { gpa, mmio: true };
    }
    const { walkMmu } = vcpu;
    let gpa = join(lo, 0);
    if (walkMmu.translates) {
      const status = walkMmu.walk(lo, hi, code, vcpu.alignmentCheck);
      if (status !== Walk.ok) {
        // The read of a read-modify-write faults as the write that it is part of (emulate.c: x86_emulate_insn).
        const also = this.instruction.kind === 'rmw' ? PageFault.write : 0;
        return { kind: 'page-fault', error: vcpu.injectWalkFault(walkMmu, lo, hi, status, also), lo, hi };
      }
      gpa = walkMmu.reached;
    }
    return this.placeAt(part, gpa, write);
  }

  /** vcpu_is_mmio_gpa */
  private placeAt({ lo, hi }: Part, gpa: number, write: boolean): Place {
    const mmio = this.vcpu.mmio.matchesGpa(gpa);
    if (mmio) this.vcpu.kvm.trace.emit('vcpu_match_mmio', { write, gpa_match: true, gva: { lo, hi }, gpa });
    return { gpa, mmio };
  }
}

/** May the access be made by the rights of the remembered MMIO access? (vcpu_mmio_gva_to_gpa) */
function mmioPermitted({ walkMmu, mmio, alignmentCheck }: KvmVcpu, code: number): boolean {
  if (!walkMmu.paging) return true;
  const bit = (acc: Acc, right: Rights): number => ((mmio.access & acc) !== 0 ? right : 0);
  const rights = HOST_ALL | (GUEST_ALL & (bit(Acc.write, Rights.write) | bit(Acc.user, Rights.user)));
  return permits(walkMmu.walker.policy, rights, accessOfCode(code) | (alignmentCheck ? Access.ac : 0));
}
