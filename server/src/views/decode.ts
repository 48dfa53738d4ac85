/** Bits and numbers by their names. The facts are those of engine/x86; here they are only put into words. */
import type { Program } from '../engine/program';
import type { Event } from './fields';

const LEVELS = ['', 'PT', 'PD', 'PDPT', 'PML4', 'PML5'];

/** `PT`, `PD`, `PDPT`, `PML4`, `PML5` for levels 1 to 5. */
export function levelName(level: number): string {
  return LEVELS[level] ?? `level ${level}`;
}

const PF_FLAGS: readonly (readonly [number, string])[] = [
  [1, 'P'],
  [2, 'W'],
  [4, 'U'],
  [8, 'RSVD'],
  [16, 'I'],
  [32, 'PK'],
  [64, 'SS'],
];

/** `P·W·U`; empty for 0 (§2.7). */
export function errorCode(code: number): string {
  const names = PF_FLAGS.filter(([bit]) => code & bit).map(([, name]) => name);
  const rest = PF_FLAGS.reduce((left, [bit]) => left & ~bit, code);
  if (rest) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names.join('·');
}

/** Name of the reason of an exit event, as KVM prints it. */
export function exitReason(event: Event, _program: Program): string {
  return `reason ${event.fields[0]?.value ?? 0n}`;
}
