/** What a file is by its first bytes, when it is no text. */

export type Packing =
  /** As trace-cmd records it: trace-cmd prints it. */
  'trace.dat' | 'perf.data' | 'gzip' | 'text' | 'binary';

const MAGIC: readonly (readonly [Packing, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['trace.dat', [0x17, 0x08, 0x44, ...bytesOf('tracing')]],
  ['perf.data', bytesOf('PERFILE2')],
];

/** Bytes that are looked at. */
export const LOOKED_AT = 4096;

export function packingOf(beginning: Uint8Array): Packing {
  const found = MAGIC.find(([, magic]) => magic.every((byte, i) => beginning[i] === byte));
  if (found) return found[0];
  return beginning.subarray(0, LOOKED_AT).includes(0) ? 'binary' : 'text';
}

function bytesOf(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}
