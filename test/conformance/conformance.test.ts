import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { runVector, type Vector } from './vectors';

const OWN = new URL('own.jsonl', import.meta.url);
/** Vectors measured on other machines, beside the checkout; not part of it. */
const SHARED = new URL('../../../shared/conformance/', import.meta.url);
/** Vectors a file. */
const SAMPLE = 24;

function vectorsOf(file: URL): Vector[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Vector);
}

describe('conformance', () => {
  for (const vector of vectorsOf(OWN)) {
    it(vector.id, () => assert.deepEqual(runVector(vector), []));
  }

  it('tells a wrong result, a wrong word and a missing flag', () => {
    const [vector] = vectorsOf(OWN);
    const [step] = vector.steps;
    assert.ok(step.op === 'access');
    const wrong = (change: object): Vector => ({ ...vector, steps: [{ ...step, ...change }] });
    assert.notDeepEqual(runVector(wrong({ result: { ...step.result, physical: '0x6000' } })), []);
    assert.notDeepEqual(runVector(wrong({ after: { ...step.after, '0x4000': '0x5067' } })), []);
    assert.notDeepEqual(runVector(wrong({ after: { ...step.after, '0x8000': '0x1' } })), []);
    assert.notDeepEqual(runVector(wrong({ after: {} })), []);
  });

  describe('of other machines', () => {
    const files = existsSync(SHARED) ? readdirSync(SHARED).filter((name) => name.endsWith('.jsonl')) : [];
    for (const name of files) {
      it(name, () => {
        const vectors = vectorsOf(new URL(name, SHARED));
        const stride = Math.max(Math.floor(vectors.length / SAMPLE), 1);
        for (let i = 0; i < vectors.length; i += stride) assert.deepEqual(runVector(vectors[i]), [], vectors[i].id);
      });
    }
  });
});
