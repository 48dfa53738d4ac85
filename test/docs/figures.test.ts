/** Figures in the documentation are what the command prints. UPDATE_DOCS=1 writes them anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mmu, ROOT } from '../cli/mmu';

const FIGURES: readonly (readonly [file: string, ...command: string[]])[] = [
  ['walk.svg', 'translate', join(ROOT, 'samples/answers/references-24-and-4.mmu'), '0x40_0123', '--mmu', 'ept'],
];

describe('docs/images', () => {
  for (const [file, ...command] of FIGURES) {
    it(`${file} is what mmu prints`, () => {
      const path = join(ROOT, 'docs/images', file);
      const { out, status } = mmu([...command, '--format', 'svg']);
      assert.equal(status, 0);
      if (process.env.UPDATE_DOCS) writeFileSync(path, out);
      else assert.equal(readFileSync(path, 'utf8'), out);
    });
  }
});
