import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { runVector, type Vector } from './vectors';

const OWN = new URL('own.jsonl', import.meta.url);
/** A sample of vectors measured on other machines; all of them may lie beside the checkout, of which these many a file are run. */
const MEASURED = new URL('measured/', import.meta.url);
const BESIDE = new URL('../../../shared/conformance/', import.meta.url);
const BESIDE_SAMPLE = 48;

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
    for (const name of readdirSync(MEASURED)) {
      it(name, () => {
        for (const vector of vectorsOf(new URL(name, MEASURED))) assert.deepEqual(runVector(vector), [], vector.id);
      });
    }

    for (const name of existsSync(BESIDE) ? readdirSync(BESIDE).filter((each) => each.endsWith('.jsonl')) : []) {
      it(`${name}, beside the checkout`, () => {
        const vectors = vectorsOf(new URL(name, BESIDE));
        const stride = Math.max(Math.floor(vectors.length / BESIDE_SAMPLE), 1);
        for (let i = 0; i < vectors.length; i += stride) assert.deepEqual(runVector(vectors[i]), [], vectors[i].id);
      });
    }
  });
});
