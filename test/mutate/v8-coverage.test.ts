import assert from 'node:assert/strict';
import { addLines } from '../../scripts/mutate/v8-coverage';
import type { Lines, V8Coverage } from '../../scripts/mutate/v8-coverage';

/** `f(){ab}` of one line, its parts from lines 1 to 4 of a source; V8 says what ran. */
function coverage(ranges: [number, number, number][]): V8Coverage {
  const url = 'file:///project/dist/f.js';
  return {
    result: [{ url, functions: [{ ranges: ranges.map(([startOffset, endOffset, count]) => ({ startOffset, endOffset, count })) }] }],
    // Columns 0, 4, 5, 6 come from lines 1, 2, 3, 4.
    'source-map-cache': { [url]: { lineLengths: [7], data: { mappings: 'AAAA,IACA,CACA,CACA', sources: ['../server/f.ts'] } } },
  };
}

function linesOf(...all: V8Coverage[]): number[] {
  const lines: Lines = new Map();
  for (const each of all) addLines(each, (path) => path === '/project/server/f.ts', lines);
  return [...(lines.get('/project/server/f.ts') ?? [])].sort((a, b) => a - b);
}

describe('lines that ran', () => {
  it('are those of ranges that ran, an inner range saying better', () => {
    assert.deepEqual(linesOf(coverage([[0, 7, 1]])), [1, 2, 3, 4]);
    assert.deepEqual(linesOf(coverage([[0, 7, 1], [5, 6, 0]])), [1, 2, 4]); // prettier-ignore
    assert.deepEqual(linesOf(coverage([[0, 7, 0], [4, 5, 3]])), [2]); // prettier-ignore
  });

  it('are those of all processes together', () => {
    assert.deepEqual(linesOf(coverage([[0, 7, 0], [4, 5, 1]]), coverage([[0, 7, 0], [6, 7, 1]])), [2, 4]); // prettier-ignore
  });

  it('are of wanted files only', () => {
    const lines: Lines = new Map();
    addLines(coverage([[0, 7, 1]]), () => false, lines);
    assert.equal(lines.size, 0);
  });
});
