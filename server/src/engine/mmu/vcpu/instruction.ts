/** The instruction that a guest is at: what runs natively, and what the emulator carries out in its place. */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../../journal/events';
import { highOf, lowOf, toBigInt } from '../../bits';
import type { AccessKind } from '../../program';
import { Access } from '../../x86/permissions';
import type { ExitInfo } from '../trace';

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
  /** Stored, or added: halves of at least as many bytes as its size. */
  readonly valueLo: number;
  readonly valueHi: number;
  readonly rip: number;
}

/** What an instruction came to. */
export type Completion =
  /** `at`: where what was reached lies in the memory that the guest's hypervisor runs in, the host's or its own guest's; null as `gpa`. */
  | {
      readonly kind: 'ok';
      readonly gpa: number | null;
      readonly at: number | null;
      readonly hpa: number | null;
      readonly valueLo: number;
      readonly valueHi: number;
    }
  | { readonly kind: 'page-fault'; readonly error: number; readonly lo: number; readonly hi: number }
  | { readonly kind: 'general-protection'; readonly error: number }
  | { readonly kind: 'mmio'; readonly gpa: number; readonly write: boolean; readonly value: bigint }
  /** The guest cannot go on: KVM_EXIT_SHUTDOWN. */
  | { readonly kind: 'shutdown' }
  /** An exit for a hypervisor that the script plays. */
  | { readonly kind: 'vm-exit'; readonly reason: number; readonly info: ExitInfo; readonly gpa: number | null }
  | { readonly kind: 'error'; readonly errno: string; readonly why: string; readonly vmInstructionError?: number };

/** Carried out on memory. */
export function okWith(gpa: number | null, at: number | null, hpa: number | null, value: bigint): Completion & { kind: 'ok' } {
  return { kind: 'ok', gpa, at, hpa, valueLo: lowOf(value), valueHi: highOf(value) };
}

/** What an instruction stores or adds, cut to its size. */
export function operandOf({ valueLo, valueHi, size }: Instruction): bigint {
  return truncated(toBigInt(valueLo, valueHi), size);
}

/** Carried out without reaching memory. */
export function doneWith(value: bigint): Completion {
  return okWith(null, null, null, value);
}

/** Carried out, with nothing to tell. */
export const DONE = doneWith(0n);
export const GP: Completion = { kind: 'general-protection', error: 0 };

/** Bytes of the instructions that exit, with an operand that needs no displacement. */
export const LENGTHS = { movCr: 3, rdmsr: 2, wrmsr: 2, cpuid: 2, vmcall: 3, invlpg: 3, invpcid: 5 } as const;

export const SHUTDOWN: Completion = { kind: 'shutdown' };
/** KVM has found a bug of its own and given the VM up (KVM_BUG_ON). */
export const DEAD = { kind: 'error', errno: 'EIO', why: 'KVM has ended the VM by a bug of its own' } as const;

/** What handling an exit came to. */
export type Handled =
  /** The guest goes on at the same instruction. */
  | { readonly kind: 'resume' }
  /** The instruction was carried out, or ended in a fault or error. */
  | { readonly kind: 'done'; readonly completion: Completion };

/** KVM_RUN fails. */
export function failedRun(errno: string, why: string): Handled {
  return { kind: 'done', completion: { kind: 'error', errno, why } };
}

/** One part of an operand, within a page. */
export interface Part {
  readonly lo: number;
  readonly hi: number;
  readonly size: number;
  /** Bytes of the operand before it. */
  readonly offset: number;
}

/** Access bits for the processor. A read-modify-write asks for the write at once. */
export function accessBits({ kind, user, implicit, ac }: Instruction): number {
  const what = kind === 'read' ? ACCESS_READ : kind === 'fetch' ? ACCESS_FETCH : ACCESS_WRITE;
  return what | (user ? ACCESS_USER : 0) | (implicit ? ACCESS_IMPLICIT : 0) | (ac ? Access.ac : 0);
}

/** Bits of a write that fit into its size. */
export function truncated(value: bigint, size: number): bigint {
  return BigInt.asUintN(size * 8, value);
}

/** MOV and ADD between memory at RBX and RAX, by size: in 64-bit code, and in 32-bit code (8 bytes: MOVQ MM0, CMPXCHG8B). */
const CODE: { readonly [kind in AccessKind]: { readonly [size: number]: readonly number[] } } = {
  read: { 1: [0x8a, 0x03], 2: [0x66, 0x8b, 0x03], 4: [0x8b, 0x03], 8: [0x48, 0x8b, 0x03] },
  write: { 1: [0x88, 0x03], 2: [0x66, 0x89, 0x03], 4: [0x89, 0x03], 8: [0x48, 0x89, 0x03] },
  rmw: { 1: [0x00, 0x03], 2: [0x66, 0x01, 0x03], 4: [0x01, 0x03], 8: [0x48, 0x01, 0x03] },
  fetch: {},
};
const CODE32: { readonly [kind in AccessKind]?: readonly number[] } = {
  read: [0x0f, 0x6f, 0x03],
  write: [0x0f, 0x7f, 0x03],
  rmw: [0x0f, 0xc7, 0x0b],
};

/** Machine code of an instruction that makes such an access; empty for a fetch, of which only the place is known. */
export function codeOf({ kind, size }: Pick<Instruction, 'kind' | 'size'>, longMode: boolean): readonly number[] {
  return (size === 8 && !longMode ? CODE32[kind] : CODE[kind][size]) ?? [];
}

export function inOnePage({ lo, size }: Pick<Instruction, 'lo' | 'size'>): boolean {
  return (lo & 0xfff) + size <= 0x1000;
}

/** An operand that crosses a page has two parts. */
export function partsOf({ lo, hi, size }: Pick<Instruction, 'lo' | 'hi' | 'size'>): readonly Part[] {
  const left = 0x1000 - (lo & 0xfff);
  if (inOnePage({ lo, size })) return [{ lo, hi, size, offset: 0 }];
  const next = (lo + left) | 0;
  const nextHi = next === 0 ? (hi + 1) | 0 : hi;
  return [
    { lo, hi, size: left, offset: 0 },
    { lo: next, hi: nextHi, size: size - left, offset: left },
  ];
}
