/** Bytes of memory that is read and written as 64-bit words, little-endian; up to 8 at any address. */
import { highOf, lowOf, toBigInt } from '../bits';
import type { WordMemory } from './hypervisor-memory';

function word(memory: WordMemory, address: number): bigint {
  return toBigInt(memory.low(address), memory.high(address));
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
