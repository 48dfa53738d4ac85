/** A VM exit: why, and what the processor says with it (vmx.c: vmx_get_exit_info, svm.c: svm_get_exit_info). */
import { exitReasonName } from '../../engine/mmu/exit-names';
import type { MmuKind } from '../../engine/program';
import { Isa } from '../../events/kernel-text/holes';
import { detached } from '../read-counts';
import { numberIn, wordIn, type TraceEvent } from '../trace-event';

export type Vendor = 'intel' | 'amd';

export interface Exit {
  /** KVM's name. */
  readonly reason: string;
  /** Null: the name is not known. */
  readonly vendor: Vendor | null;
  readonly rip: bigint | null;
  readonly info1: bigint;
  readonly info2: bigint;
  /** An event that was being delivered when the guest left; null: none is known. */
  readonly delivering: Delivery | null;
}

interface Delivery {
  readonly vector: number;
  /** `interrupt`, `NMI`, `exception`, `software interrupt`. */
  readonly type: string;
}

const VALID = 0x8000_0000;
/** Types of interruption information (SDM vol. 3 "Information for VM exits that occur during event delivery", APM vol. 2 EXITINTINFO). */
const TYPES = ['interrupt', 'reserved', 'NMI', 'exception', 'software interrupt', 'exception', 'exception', 'other event'];

const EXCEPTION = ['EXCEPTION_NMI', 'EXTERNAL_INTERRUPT'];

export function reasonOf(event: TraceEvent): { readonly name: string; readonly vendor: Vendor | null } {
  const reason = event.values?.reason;
  const isa = numberIn(event, 'isa');
  const vendor = isa === Isa.svm ? 'amd' : isa === Isa.vmx ? 'intel' : null;
  if (typeof reason === 'string') return { name: detached(reason), vendor };
  if (reason === undefined) return { name: 'unknown', vendor };
  return { name: exitReasonName(vendor ?? 'intel', (Number(reason) << 16) >> 16), vendor };
}

export function exitOf(event: TraceEvent): Exit {
  const { name: reason, vendor } = reasonOf(event);
  const [info1, info2] = [wordIn(event, 'info1') ?? 0n, wordIn(event, 'info2') ?? 0n];
  return { reason, vendor, rip: wordIn(event, 'rip'), info1, info2, delivering: deliveryOf(event, reason, vendor, info2) };
}

/**
 * VMX: info2 is IDT-vectoring information; before 5.10 it was what the exit itself interrupts with, which only exits by events have. SVM:
 * EXITINTINFO.
 */
function deliveryOf(event: TraceEvent, reason: string, vendor: Vendor | null, info2: bigint): Delivery | null {
  const hasOwn = numberIn(event, 'intr_info') !== null;
  if (vendor === 'intel' && !hasOwn && EXCEPTION.includes(reason)) return null;
  const info = vendor === 'amd' ? (numberIn(event, 'intr_info') ?? 0) : Number(info2 & 0xffff_ffffn);
  return (info & VALID) !== 0 ? { vector: info & 0xff, type: TYPES[(info >>> 8) & 7] } : null;
}

/** Exits that only one kind of MMU virtualization has. */
const OF_MMU: { readonly [reason: string]: MmuKind } = {
  EPT_VIOLATION: 'ept',
  EPT_MISCONFIG: 'ept',
  PML_FULL: 'ept',
  npf: 'npt',
  'PF excp': 'soft',
};

/** The kind of MMU virtualization that an exit tells; null: any has it. */
export function mmuOfReason(reason: string): MmuKind | null {
  return OF_MMU[reason] ?? null;
}

/** Exits that have nothing to do with what the guest was doing: they come between any two others. */
const BY_THE_WAY: ReadonlySet<string> = new Set([
  'EXTERNAL_INTERRUPT',
  'INTERRUPT_WINDOW',
  'NMI_WINDOW',
  'PREEMPTION_TIMER',
  'interrupt',
  'nmi',
  'smi',
  'vintr',
]);

export function isByTheWay({ reason }: Exit): boolean {
  return BY_THE_WAY.has(reason);
}
