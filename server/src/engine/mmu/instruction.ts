/** The instruction that a guest is at: what runs natively, and what the emulator carries out in its place. */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../journal/events';
import type { AccessKind } from '../program';
import { Access } from '../x86/permissions';
import type { ExitInfo } from './trace';

export interface Instruction {
  readonly kind: AccessKind;
  readonly lo: number;
  readonly hi: number;
  /** Bytes. */
  readonly size: number;
  readonly user: boolean;
  /** The processor's own access to a system structure. */
  readonly implicit: boolean;
  /** EFLAGS.AC. */
  readonly ac: boolean;
  /** Stored, or added. */
  readonly value: bigint;
  readonly rip: number;
}

/** What an instruction came to. */
export type Completion =
  | { readonly kind: 'ok'; readonly gpa: number | null; readonly hpa: number | null; readonly value: bigint }
  | { readonly kind: 'page-fault'; readonly error: number; readonly lo: number; readonly hi: number }
  | { readonly kind: 'general-protection'; readonly error: number }
  | { readonly kind: 'mmio'; readonly gpa: number; readonly write: boolean; readonly value: bigint }
  /** An exit for a hypervisor that the script plays. */
  | { readonly kind: 'vm-exit'; readonly reason: number; readonly info: ExitInfo; readonly gpa: number | null }
  | { readonly kind: 'error'; readonly errno: string; readonly why: string };

/** Access bits for the processor. A read-modify-write asks for the write at once. */
export function accessBits({ kind, user, implicit, ac }: Instruction): number {
  const what = kind === 'read' ? ACCESS_READ : kind === 'fetch' ? ACCESS_FETCH : ACCESS_WRITE;
  return what | (user ? ACCESS_USER : 0) | (implicit ? ACCESS_IMPLICIT : 0) | (ac ? Access.ac : 0);
}

/** Bits of a write that fit into its size. */
export function truncated(value: bigint, size: number): bigint {
  return BigInt.asUintN(size * 8, value);
}
