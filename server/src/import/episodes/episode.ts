/**
 * What KVM did between an exit of a guest and its next entry, as a plain value; or what another task did to the VM's memory, between two
 * reasons to do so.
 */
import { hex } from '../../events/wording';
import type { FaultCode } from './fault-code';
import { shapeOf, type Deeds } from './deeds';
import type { Exit } from './exit';

/** Who ran: a thread of a recording. */
export interface Task {
  /** Name of the recording, where several are printed together. */
  readonly host: string | null;
  readonly comm: string;
  readonly pid: number;
  /** Number of the vCPU that it runs, as far as the trace or its name tells; null: it runs none, or nothing tells. */
  vcpu: number | null;
}

interface Fault {
  readonly address: bigint;
  /** Guest-physical where there is a second stage. */
  readonly space: 'gpa' | 'gva';
  readonly code: FaultCode;
}

export interface Episode {
  readonly task: Task;
  /** Of its own events; null: they do not say. */
  vcpu: number | null;
  readonly cpu: number | null;
  /** Lines from 1, and the offset of the first in bytes. */
  readonly line: number;
  readonly offset: number;
  lastLine: number;
  events: number;
  /** Nanoseconds or ticks. */
  readonly time: number | null;
  until: number | null;
  exit: Exit | null;
  /** A guest's guest has left. */
  nested: boolean;
  fault: Fault | null;
  readonly deeds: Deeds;
  /** `entry`: the guest goes on; `open`: no entry follows; `unseen`: entries were not recorded. */
  ends: 'entry' | 'open' | 'unseen';
  /** The first of its task without its exit, or the last without what came of it: the trace shows a part. */
  partial: 'beginning' | 'end' | null;
  /** Where the guest had been entered before it left. */
  entered: { readonly rip: bigint; readonly line: number } | null;
}

/** What tells episodes apart, addresses left out. */
export function shapeOfEpisode({ exit, nested, fault, deeds, ends }: Episode): string {
  const code = fault ? `${fault.code.code}` : '';
  return `${exit?.reason ?? ''}|${nested ? 'L2' : ''}|${exit?.delivering ? 'during delivery' : ''}|${code}|${shapeOf(deeds)}|${ends}`;
}

/** Where it happened: the address of the fault, of the device, or of the instruction. */
export interface Place {
  readonly space: 'gpa' | 'gva' | 'rip';
  readonly address: bigint;
}

export function placeOf({ exit, fault, deeds }: Episode): Place | null {
  if (fault) return { space: fault.space, address: fault.address };
  const gpa = deeds.mmio?.gpa ?? deeds.fastMmio?.gpa ?? deeds.mmioCache?.gpa;
  if (gpa !== undefined) return { space: 'gpa', address: gpa };
  // SVM says it with the exit, VMX with events that may not have been recorded.
  if (exit?.reason === 'npf') return { space: 'gpa', address: exit.info2 };
  if (exit?.reason === 'PF excp') return { space: 'gva', address: exit.info2 };
  const rip = exit?.rip ?? null;
  return rip === null ? null : { space: 'rip', address: rip };
}

/** `fault at gpa 0x1000: 0x182 (…)` */
export function faultText({ address, space, code }: Fault): string {
  return `fault at ${space} ${hex(address)}: ${code.text}`;
}
