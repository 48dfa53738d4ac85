/** A number in its several forms, and an address by its parts. */
import type { PagingMode } from '../engine/program';
import { levelName } from '../events/decode';
import { bytes, hex } from '../events/wording';
import type { AddressSpace } from '../language/kind';

const SPACES: { readonly [space in AddressSpace]: string } = {
  gva: 'guest-virtual (linear) address',
  gpa: 'guest-physical address',
  hva: 'host-virtual address, of the VMM',
  hpa: 'host-physical address',
};

/** Index bits of each level, from level 1 up. */
const INDEX_BITS: { readonly [mode in PagingMode]: readonly number[] } = {
  none: [],
  '32-bit': [10, 10],
  pae: [9, 9, 2],
  '4-level': [9, 9, 9, 9],
  '5-level': [9, 9, 9, 9, 9],
};

/** Markdown lines about a number. */
export function numberText(value: bigint, space: AddressSpace | null, mode: PagingMode): string[] {
  const unsigned = BigInt.asUintN(64, value);
  if (space === 'gva') return [addressLine(unsigned, space), ...linear(unsigned, mode)];
  if (space) return [addressLine(unsigned, space), `page \`${hex(unsigned >> 12n)}\`, offset \`${hex(unsigned & 0xfffn)}\``];
  const forms = [value.toString()];
  if (unsigned < 1n << 53n && unsigned >= 1024n && unsigned % 1024n === 0n) forms.push(bytes(Number(unsigned)));
  if (unsigned >= 2n && unsigned < 1n << 32n) forms.push(`0b${grouped(unsigned.toString(2))}`);
  return [`\`${hex(unsigned)}\``, forms.map((form) => `\`${form}\``).join(' = ')];
}

function addressLine(address: bigint, space: AddressSpace): string {
  return `\`${hex(address)}\` · ${SPACES[space]}, \`${address}\``;
}

/** Level by level the index that an address has in the paging structures. */
function linear(address: bigint, mode: PagingMode): string[] {
  const bits = INDEX_BITS[mode];
  const parts: string[] = [];
  let shift = 12;
  for (let level = 1; level <= bits.length; level++) {
    const width = bits[level - 1];
    parts.unshift(`${levelName(level)}[${(address >> BigInt(shift)) & ((1n << BigInt(width)) - 1n)}]`);
    shift += width;
  }
  const lines = parts.length > 0 ? [`${mode} paging: ${parts.join(' ')}, offset \`${hex(address & 0xfffn)}\``] : [];
  if (bits.length >= 4 && !canonical(address, shift)) lines.push(`Not canonical: bits 63 to ${shift - 1} are not all the same.`);
  return lines;
}

function canonical(address: bigint, width: number): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(width, address)) === address;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:[01]{4})+$)/g, '_');
}
