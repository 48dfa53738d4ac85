import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRegular, readRegularNow } from '../../server/src/node/regular-file';

describe('a file that a scenario names', () => {
  const root = mkdtempSync(join(tmpdir(), 'mmu-files-'));
  const folder = join(root, 'scenarios');
  const within = (name: string): string => join(folder, name);
  type Bounds = Parameters<typeof readRegular>[1];
  const inFolder: Bounds = { most: 1 << 20, folders: [folder] };

  before(() => {
    mkdirSync(within('below'), { recursive: true });
    writeFileSync(within('a.mmu'), 'const a = 1\n');
    writeFileSync(join(root, 'secret'), 'secret');
    symlinkSync(join(root, 'secret'), within('link'));
    symlinkSync(within('a.mmu'), within('inner-link'));
    symlinkSync(folder, join(root, 'linked-folder'));
    execFileSync('mkfifo', [within('fifo')]);
    writeFileSync(within('large'), new Uint8Array((1 << 20) + 1));
  });
  after(() => rmSync(root, { recursive: true }));

  /** Both ways of reading say the same. */
  async function read(path: string, bounds: Bounds = inFolder): Promise<string | { notOpened: string } | null> {
    const found = await readRegular(path, bounds);
    if (found !== null) assert.deepEqual(readRegularNow(path, bounds), found);
    else assert.throws(() => readRegularNow(path, bounds));
    return found instanceof Uint8Array ? Buffer.from(found).toString() : found;
  }

  it('is read when it is a regular file within the folders, by a link too', async () => {
    assert.equal(await read(within('a.mmu')), 'const a = 1\n');
    assert.equal(await read(within('inner-link')), 'const a = 1\n');
    assert.equal(
      await read(join(root, 'linked-folder', 'a.mmu'), { ...inFolder, folders: [join(root, 'linked-folder')] }),
      'const a = 1\n',
    );
  });

  it('is none when there is none', async () => assert.equal(await read(within('missing')), null));

  it('is not opened outside of them, wherever links lead', async () => {
    const outside = { notOpened: 'lies outside the folders that this scenario may read from' };
    for (const path of [join(root, 'secret'), within('link'), within('../secret'), '/etc/passwd'])
      assert.deepEqual(await read(path), outside, path);
    assert.equal(await read(join(root, 'secret'), { most: 10, folders: null }), 'secret');
  });

  it('is not opened when it is no regular file', async () => {
    assert.deepEqual(await read(within('fifo')), { notOpened: 'is a FIFO' });
    assert.deepEqual(await read(within('below')), { notOpened: 'is a directory' });
    assert.deepEqual(await read('/dev/zero', { most: 10, folders: null }), { notOpened: 'is a device' });
    const server = createServer().listen(within('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    assert.deepEqual(await read(within('socket')), { notOpened: 'is a socket' });
    server.close();
  });

  it('is not opened below the kernel’s own folders, even with the root as the folder', async () => {
    for (const path of ['/proc/self/environ', '/sys/kernel/notes', '/dev/ptmx'])
      assert.deepEqual(await read(path, { ...inFolder, folders: ['/'] }), { notOpened: 'is the kernel’s own' }, path);
  });

  it('is not opened when it is larger than what is read', async () =>
    assert.deepEqual(await read(within('large')), { notOpened: 'is larger than 1M' }));
});
