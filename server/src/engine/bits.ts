/**
 * Numbers of the engine. Physical addresses (at most 52 bits) are JavaScript numbers; 64-bit quantities (entries, linear
 * addresses, data) are two 32-bit halves, `lo` and `hi`, signed as the bitwise operators leave them. This module alone
 * knows how the two meet.
 */

export const PAGE_SIZE = 4096;
const HALF = 0x1_0000_0000;

/** Low half of a number below 2^53. */
export function low(value: number): number {
  return value | 0;
}

/** High half of a number below 2^53. */
export function high(value: number): number {
  return (value / HALF) | 0;
}

/** Number from halves; `hi` must be below 2^21. */
export function join(lo: number, hi: number): number {
  return (hi >>> 0) * HALF + (lo >>> 0);
}

export function toBigInt(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

export function lowOf(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

export function highOf(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}

/**
 * `0x61_0123`: lower case, `_` before every four digits from the right, no padding: an address or a value as every message and view shows it. Takes
 * unsigned values.
 */
export function hex(value: number | bigint): string {
  const digits = value.toString(16);
  const head = digits.length % 4 || 4;
  let text = digits.slice(0, head);
  for (let at = head; at < digits.length; at += 4) text += `_${digits.slice(at, at + 4)}`;
  return `0x${text}`;
}
