/**
 * Where a guest's physical memory is, for whoever reads it from outside: where the EPT or nested tables lead that a hypervisor in a
 * guest has for it (its hooks included), and where these say nothing, where its slots lie. Changes nothing but what the slots' stage does.
 */
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, STAGE_SECOND } from '../../journal/events';
import { high, join, low, lowOf, highOf } from '../../bits';
import { Access, HOST_ALL, Rights } from '../../x86/permissions';
import { Walk, Walking, type Stage } from '../../x86/stage';
import { Walker } from '../../x86/walker';
import { MemslotStage } from '../contexts/memslot-stage';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';

export class GuestPhysical implements Stage {
  readonly tableAccess = ACCESS_READ | Access.table;
  outLo = 0;
  outHi = 0;
  hostLo = 0;
  hostHi = 0;
  hostRights = HOST_ALL | Rights.dirty;
  /** L1's tables for the guest; null: its hypervisor is the host's, or shadows linear addresses. */
  private readonly tables: Walker | null;
  /** L1's slots, in the host's memory. */
  private readonly around: MemslotStage;

  /** @param slots of the guest itself */
  constructor(
    vcpu: KvmVcpu,
    private readonly slots: Stage = new MemslotStage(vcpu.kvm, true),
  ) {
    this.around = new MemslotStage(vcpu.mode.below.kvm, true);
    this.tables = tablesOf(vcpu, this.around);
  }

  /** Host-physical address behind a guest-physical one; null: there is none. */
  hpaOf(gpa: number): number | null {
    return this.translate(low(gpa), high(gpa)) === Walk.ok ? join(this.hostLo, this.hostHi) : null;
  }

  translate(lo: number, hi: number): number {
    const { tables, around } = this;
    const mapped = tables !== null && [ACCESS_READ, ACCESS_FETCH].some((what) => tables.translate(lo, hi, what | ACCESS_USER) === Walk.ok);
    const stage = mapped ? around : this.slots;
    const status = stage.translate(mapped ? tables.outLo : lo, mapped ? tables.outHi : hi, this.tableAccess);
    this.outLo = lo;
    this.outHi = hi;
    this.hostLo = stage.hostLo;
    this.hostHi = stage.hostHi;
    this.hostRights = stage.hostRights;
    return status;
  }
}

function tablesOf({ mode, kvm, parts }: KvmVcpu, around: Stage): Walker | null {
  const format = parts.hardware.second;
  if (mode.level === 1 || !kvm.tdp || format === null) return null;
  const root = mode.root12 !== null ? BigInt(mode.root12.hpa) : (mode.field(format.ept ? 'eptp' : 'ncr3') ?? 0n);
  if (root <= 0n) return null;
  const walker = new Walker(parts.physical, format, STAGE_SECOND, around);
  walker.walking = Walking.silent;
  walker.use(format, lowOf(root), highOf(root));
  return walker;
}
