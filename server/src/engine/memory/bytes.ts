/** Bytes of memory that is read and written as 64-bit words, little-endian; up to 8 at any address. */
import { highOf, lowOf, toBigInt } from '../bits';
import type { WordMemory } from './hypervisor-memory';

function word(memory: WordMemory, address: number): bigint {
  return toBigInt(memory.low(address), memory.high(address));
}

/** Halves of a value of at most 8 bytes; those beyond its size are 0. */
export class Halves {
  lo = 0;
  hi = 0;
}

/** The bytes lie in one 64-bit word, as those of an aligned operand do. */
export function inOneWord(address: number, size: number): boolean {
  return (address % 8) + size <= 8;
}

/** As {@link loadBytes}, of 1, 2, 4 or 8 bytes in one word. */
export function loadHalves(memory: WordMemory, address: number, size: number, into: Halves): void {
  const offset = address % 8;
  const lo = memory.low(address - offset);
  const hi = memory.high(address - offset);
  const shift = offset * 8;
  into.lo = shift === 0 ? lo : shift < 32 ? (lo >>> shift) | (hi << (32 - shift)) : hi >>> (shift - 32);
  into.hi = shift === 0 ? hi : shift < 32 ? hi >>> shift : 0;
  truncate(into, size);
}

/** As {@link storeBytes}, of 1, 2, 4 or 8 bytes in one word. */
export function storeHalves(memory: WordMemory, address: number, size: number, { lo, hi }: Halves): void {
  const offset = address % 8;
  const first = address - offset;
  if (size === 8) return memory.write(first, lo, hi);
  const shift = (offset & 3) * 8;
  // At most four bytes, in one half or, where the address is odd, over both.
  const mask = size === 4 ? -1 : (1 << (size * 8)) - 1;
  const [oldLo, oldHi] = [memory.low(first), memory.high(first)];
  const inner = mask << shift;
  const outer = shift === 0 ? 0 : mask >>> (32 - shift);
  const [bits, spilt] = [lo << shift, shift === 0 ? 0 : lo >>> (32 - shift)];
  if (offset < 4) memory.write(first, (oldLo & ~inner) | (bits & inner), (oldHi & ~outer) | (spilt & outer));
  else memory.write(first, oldLo, (oldHi & ~inner) | (bits & inner));
}

/** Cuts a value to a size of 1, 2, 4 or 8 bytes. */
export function truncate(value: Halves, size: number): void {
  if (size === 8) return;
  value.hi = 0;
  if (size < 4) value.lo &= (1 << (size * 8)) - 1;
}

export function loadBytes(memory: WordMemory, address: number, size: number): bigint {
  const offset = address % 8;
  const first = address - offset;
  let value = word(memory, first) >> BigInt(offset * 8);
  if (offset + size > 8) value |= word(memory, first + 8) << BigInt((8 - offset) * 8);
  return BigInt.asUintN(size * 8, value);
}

export function storeBytes(memory: WordMemory, address: number, size: number, value: bigint): void {
  const offset = address % 8;
  const first = address - offset;
  const mask = ((1n << BigInt(size * 8)) - 1n) << BigInt(offset * 8);
  const bits = BigInt.asUintN(size * 8, value) << BigInt(offset * 8);
  put(memory, first, mask, bits);
  if (offset + size > 8) put(memory, first + 8, mask >> 64n, bits >> 64n);
}

function put(memory: WordMemory, address: number, mask: bigint, bits: bigint): void {
  const full = 0xffff_ffff_ffff_ffffn;
  const value = (word(memory, address) & ~(mask & full)) | (bits & mask & full);
  memory.write(address, lowOf(value), highOf(value));
}
