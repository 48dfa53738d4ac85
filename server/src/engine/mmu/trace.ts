/** The writer of a hypervisor's events, and what several of them say alike (§8.1). */
import { highOf, lowOf } from '../bits';
import { emit } from '../journal/emit';
import { ACCESS_WRITE } from '../journal/events';
import type { EventName, WrittenFields } from '../journal/event-table';
import type { Halves } from '../journal/field-kinds';
import type { Journal } from '../journal/journal';

export class Trace {
  constructor(readonly journal: Journal) {}

  emit<N extends EventName>(name: N, fields: WrittenFields<N>): void {
    emit(this.journal, name, fields);
  }

  /** A store of a guest that nothing intercepts. @param hpa host-physical address */
  store(hpa: number, value: bigint): void {
    this.emit('value', { access: ACCESS_WRITE, hpa, value: { lo: lowOf(value), hi: highOf(value) } });
  }
}

/** Interruption information of a #PF with error code: valid, exception, vector 14. */
export const INTR_INFO_PF = 0x80000b0e | 0;

/** A #PF that waits to be delivered with the next entry. */
export interface InjectedFault {
  readonly errorCode: number;
  readonly lo: number;
  readonly hi: number;
}

/** kvm_inj_exception of a #GP. */
export const INJECTED_GP: WrittenFields<'kvm_inj_exception'> = { vector: 13, error_code: 0, cr2: 0 };

/** What a VM exit says besides its reason (kvm_exit). */
export interface ExitInfo {
  readonly info1Lo: number;
  readonly info1Hi: number;
  readonly info2Lo: number;
  readonly info2Hi: number;
  readonly intrInfo: number;
  readonly errorCode: number;
}

export function exitFields({ info1Lo, info1Hi, info2Lo, info2Hi, intrInfo, errorCode }: ExitInfo): {
  readonly info1: Halves;
  readonly info2: Halves;
  readonly intr_info: number;
  readonly error_code: number;
} {
  return { info1: { lo: info1Lo, hi: info1Hi }, info2: { lo: info2Lo, hi: info2Hi }, intr_info: intrInfo, error_code: errorCode };
}

/** kvm_emulate_insn: as many bytes of the instruction as a row has room for. */
export function emulating(rip: number, code: readonly number[], failed = false): WrittenFields<'kvm_emulate_insn'> {
  const half = (from: number): number => code.slice(from, from + 4).reduce((word, byte, i) => word | (byte << (i * 8)), 0);
  return { failed, length: code.length, rip, bytes: { lo: half(0), hi: half(4) } };
}

export const NO_INFO: ExitInfo = { info1Lo: 0, info1Hi: 0, info2Lo: 0, info2Hi: 0, intrInfo: 0, errorCode: 0 };
