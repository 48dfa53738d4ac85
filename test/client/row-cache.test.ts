import { strict as assert } from 'node:assert';
import { CHUNK, RowCache } from '../../client/webview/list/row-cache';
import type { StepRow } from '../../server/src/protocol/messages';

const row = (step: number): StepRow => ({ step, actor: 'L0', event: 'e', text: '', address: null, line: null, kind: 'mmu' });
const rows = (from: number, count = CHUNK) => Array.from({ length: count }, (_, i) => row(from + i));

describe('rows kept by the panel', () => {
  it('are asked for in chunks, once, and not while they are there', () => {
    const asked: number[] = [];
    const cache = new RowCache((from) => asked.push(from));
    cache.want(CHUNK - 10, CHUNK + 10);
    cache.want(CHUNK - 9, CHUNK + 11);
    assert.deepEqual(asked, [0, CHUNK]);
    cache.put(0, rows(0));
    cache.put(CHUNK, rows(CHUNK));
    cache.want(0, 2 * CHUNK);
    assert.deepEqual(asked, [0, CHUNK]);
    assert.equal(cache.get(CHUNK + 5)?.step, CHUNK + 5);
  });

  it('are not asked for when they were passed by before an answer came', () => {
    const asked: number[] = [];
    const cache = new RowCache((from) => asked.push(from / CHUNK));
    for (let chunk = 0; chunk < 100; chunk++) cache.want(chunk * CHUNK, chunk * CHUNK + 20);
    assert.deepEqual(asked, [0, 1]);
    cache.put(0, rows(0));
    assert.deepEqual(asked, [0, 1, 99]);
  });

  it('are few however many have been seen, and the last seen are among them', () => {
    const cache = new RowCache(() => {});
    for (let chunk = 0; chunk < 1000; chunk++) cache.put(chunk * CHUNK, rows(chunk * CHUNK));
    let kept = 0;
    for (let position = 0; position < 1000 * CHUNK; position += CHUNK) if (cache.get(position)) kept++;
    assert.ok(kept <= 64, `${kept} chunks`);
    assert.equal(cache.get(999 * CHUNK)?.step, 999 * CHUNK);
  });

  it('are forgotten on clear', () => {
    const asked: number[] = [];
    const cache = new RowCache((from) => asked.push(from));
    cache.want(0, 5);
    cache.clear();
    cache.want(0, 5);
    assert.deepEqual(asked, [0, 0]);
  });
});
