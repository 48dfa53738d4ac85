/**
 * Every sample is a lesson: named in samples/README.md, in printed form, with expectations that hold. An answer is one that begins with
 * its question, by which it is listed, and fits a page.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
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

  const answers = files.filter((file) => file.startsWith('answers'));
  const questions = readFileSync(join(FOLDER, 'answers', 'README.md'), 'utf8');

  it('answers real questions', () => assert.ok(answers.length >= 20));

  for (const file of answers) {
    it(`${file} is listed by its question, and says where the answer is known from`, () => {
      const lines = readFileSync(join(FOLDER, file), 'utf8').trimEnd().split('\n');
      const name = basename(file);
      const row = questions.split('\n').find((line) => line.includes(`(${name})`));
      assert.ok(row, 'is not in samples/answers/README.md');
      const [, question] = row.split('|').map((cell) => cell.trim());
      assert.match(question, /\?$/);
      assert.ok(list.includes(`| ${question} |`), 'is not in samples/README.md by its question');
      assert.match(lines[0], /\?$/, 'does not begin with its question');
      assert.ok(lines.length >= 15 && lines.length <= 40, `has ${lines.length} lines`);
      assert.ok(
        lines.some((line) => /^\/\/ .*(SDM vol|APM vol|KVM|mmu-semantics)/.test(line)),
        'names no source',
      );
      assert.ok(
        lines.every((line) => line.length <= 140),
        'has lines longer than 140',
      );
    });
  }

  it('has no name without a file', () => {
    const named = [...list.matchAll(/\(([^)]+\.mmu)\)/g)].map(([, name]) => name);
    assert.deepEqual(named.filter((name) => !files.includes(name)), []); // prettier-ignore
  });
});
