/** Every sample is a lesson: named in samples/README.md, in printed form, with expectations that hold. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from '../../server/src/language/syntax/print';
import { ROOT } from '../cli/mmu';
import { holds } from './scenario';

const FOLDER = join(ROOT, 'samples');
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mmu')).sort(); // prettier-ignore
const list = readFileSync(join(FOLDER, 'README.md'), 'utf8');

describe('lessons', () => {
  for (const file of files) {
    it(file, () => {
      const text = readFileSync(join(FOLDER, file), 'utf8');
      assert.ok(list.includes(`(${file.replaceAll('\\', '/')})`), 'is not in samples/README.md');
      assert.equal(format(text), text);
      assert.match(text, /^\/\/ \S/, 'begins with what it is about');
      holds(text, `file:///samples/${file}`);
    });
  }

  it('has no name without a file', () => {
    const named = [...list.matchAll(/\(([^)]+\.mmu)\)/g)].map(([, name]) => name);
    assert.deepEqual(named.filter((name) => !files.includes(name)), []); // prettier-ignore
  });
});
