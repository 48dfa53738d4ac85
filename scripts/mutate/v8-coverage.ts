/** Which lines of sources ran, from the coverage that V8 writes for a process (NODE_V8_COVERAGE) and the source maps of what was loaded. */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

interface SourceMap {
  readonly mappings: string;
  readonly sources: readonly string[];
}

export interface V8Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[] }[];
  }[];
  readonly 'source-map-cache'?: { readonly [url: string]: { readonly lineLengths: readonly number[]; readonly data: SourceMap | null } };
}

/** Lines by path, counted from 1. A file that was loaded is there, though none of its lines ran. */
export type Lines = Map<string, Set<number>>;

/** Adds the lines that ran, of files that `wanted` says, to `into`. */
export function addLines(coverage: V8Coverage, wanted: (path: string) => boolean, into: Lines): void {
  const maps = coverage['source-map-cache'] ?? {};
  for (const { url, functions } of coverage.result) {
    const map = maps[url];
    if (!url.startsWith('file:') || !map?.data) continue;
    const folder = dirname(fileURLToPath(url));
    const sources = map.data.sources.map((source) => {
      const path = source.startsWith('file:') ? fileURLToPath(source) : resolve(folder, source);
      return wanted(path) ? path : null;
    });
    if (sources.every((path) => path === null)) continue;
    const starts = lineStarts(map.lineLengths);
    const ran = offsetsThatRan(functions, starts[starts.length - 1]);
    for (const path of sources) if (path !== null && !into.has(path)) into.set(path, new Set());
    for (const { line, column, source, sourceLine } of segments(map.data.mappings)) {
      const path = sources[source];
      if (path && ran[starts[line] + column] === 1) into.get(path)?.add(sourceLine + 1);
    }
  }
}

function lineStarts(lengths: readonly number[]): number[] {
  const starts = [0];
  for (const length of lengths) starts.push(starts[starts.length - 1] + length + 1);
  return starts;
}

type Functions = V8Coverage['result'][number]['functions'];

/** Ranges nest, and an inner one says better. */
function offsetsThatRan(functions: Functions, size: number): Uint8Array {
  const ran = new Uint8Array(size + 1);
  const ranges = functions.flatMap((each) => each.ranges);
  ranges.sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
  for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return ran;
}

const DIGITS = new Map([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map((digit, value) => [digit, value]));

/** Segments of a source map's mappings (ECMA-426), lines and columns counted from 0. */
function* segments(mappings: string): Iterable<{ line: number; column: number; source: number; sourceLine: number }> {
  let [source, sourceLine] = [0, 0];
  for (const [line, group] of mappings.split(';').entries()) {
    let column = 0;
    for (const segment of group.split(',')) {
      if (segment === '') continue;
      const [columns, sources = 0, lines = 0] = numbers(segment);
      column += columns;
      source += sources;
      sourceLine += lines;
      yield { line, column, source, sourceLine };
    }
  }
}

/** Base-64 digits of six bits: five of the number, lowest first, and one that says whether more follow; bit 0 of all is the sign. */
function numbers(segment: string): number[] {
  const found: number[] = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = DIGITS.get(character) ?? 0;
    value |= (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    found.push((value & 1) !== 0 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  return found;
}
