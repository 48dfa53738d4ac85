/** Paths: files that a scenario names, of every kind and by every spelling; nothing outside its folder is ever read. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { analyze, contentOf, resolveImport } from '../../server/src/api/language';
import { readRegular, readRegularNow } from '../../server/src/node/regular-file';
import { Allowed } from '../../server/src/workspace/allowed';
import { checked } from './checked';
import type { Round } from './fuzzers';

const SECRET = 'const secret = 1\n';

/** A folder with what somebody could put into it. */
function laid(): { root: string; folder: string } {
  const root = mkdtempSync(join(tmpdir(), 'mmu-fuzz-'));
  const folder = join(root, 'scenarios');
  mkdirSync(join(folder, 'below', 'deep'), { recursive: true });
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside', 'secret.mmu'), SECRET);
  writeFileSync(join(folder, 'a.mmu'), 'const a = 1\n');
  writeFileSync(join(folder, 'below', 'b.mmu'), 'const b = 1\n');
  symlinkSync(join(root, 'outside'), join(folder, 'out'));
  symlinkSync('../../outside/secret.mmu', join(folder, 'below', 'link'));
  symlinkSync('loop', join(folder, 'loop'));
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  return { root, folder };
}

const piece = fc.constantFrom(
  '..', '.', '', 'a.mmu', 'below', 'b.mmu', 'deep', 'out', 'outside', 'secret.mmu', 'link', 'loop', 'fifo', 'proc', 'self', 'environ', 'dev', 'zero',
  'etc', 'passwd', 'file:', '%2e%2e', '%2f', '\\', 'C:', '?', '#', ' ', 'scenarios', '~', '*', '\u0000', '😀',
); // prettier-ignore
const path = fc.tuple(fc.constantFrom('', '/', '//', '///', './', '../', 'file://'), fc.array(piece, { maxLength: 6 })).map(([root, pieces]) => root + pieces.join('/')); // prettier-ignore

export async function pathRound(seed: number): Promise<Round> {
  const { root, folder } = laid();
  try {
    const document = pathToFileURL(join(folder, 'main.mmu')).href;
    const allowed = new Allowed([pathToFileURL(folder).href], true);
    return await checked(
      path,
      seed,
      async (spelled) => {
        const uri = resolveImport(spelled, document);
        if (uri === null) return;
        const refused = allowed.refusal(uri, document, 'import');
        const read = fileOf(uri);
        if (read === null) return;
        const bounds = { most: 1 << 20, folders: [folder] };
        const found = await readRegular(read, bounds);
        let now: unknown = null;
        try {
          now = readRegularNow(read, bounds);
        } catch {
          // None.
        }
        assert.deepEqual(now, found, 'read at once and in time');
        const text = contentOf(found);
        if (text === null) return;
        assert.notEqual(Buffer.from(text).toString(), SECRET);
        assert.equal(refused, null, 'read where the editor refuses');
        analyze(`import ${JSON.stringify(spelled)}\n`, document, { read: () => Buffer.from(text).toString() });
      },
      (spelled) => `import ${JSON.stringify(spelled)}\n`,
      500,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** As the runtime reads a URI; null: it is no file of this machine. */
function fileOf(uri: string): string | null {
  try {
    return fileURLToPath(uri);
  } catch {
    return null;
  }
}
