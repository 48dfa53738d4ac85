import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { mmu, scratch, write } from './mmu';

const RUN = 'vcpu { paging none } }\nrun g { read 0x1000 expect value 0 }\n';
const loading = (path: string): string => `vm g {\n  slot 0 { gpa 0  size 16M }\n  load "${path}" at 0x1000\n  ${RUN}`;
const SECRET = 'hunter2!hunter2!';

before(function () {
  this.timeout(60_000);
  write('outside/secret.bin', SECRET);
  write('outside/common.mmu', 'const base = 0x1000\n');
});

describe('what a scenario’s own words open on the command line', () => {
  it('is nothing outside its folder, and nothing of it is printed', () => {
    for (const path of ['../outside/secret.bin', join(scratch(), 'outside/secret.bin'), '/etc/passwd']) {
      write('opening/load.mmu', loading(path));
      const { status, out, err } = mmu(['run', 'opening/load.mmu']);
      assert.equal(status, 2);
      assert.match(err, /^opening\/load\.mmu:3:8: error: this file is not opened: it lies outside the folders .*\[not-opened\]$/m);
      assert.ok(!`${out}${err}`.includes(Buffer.from(SECRET).subarray(0, 8).reverse().toString('hex')));
    }
  });

  it('is what --allow-dir adds', () => {
    write('opening/load.mmu', loading('../outside/secret.bin'));
    assert.equal(mmu(['run', '--allow-dir', 'outside', 'opening/load.mmu']).status, 1);
    write('opening/import.mmu', `import "../outside/common.mmu"\nvm g {\n  slot 0 { gpa 0  size 16M }\n  ${RUN}`);
    assert.match(mmu(['check', 'opening/import.mmu']).err, /:1:8: error: this file is not opened/);
    assert.equal(mmu(['check', '--allow-dir', 'elsewhere', '--allow-dir', 'outside', 'opening/import.mmu']).status, 0);
  });

  it('is all of a folder that is tested as a whole', () => {
    write('whole/common.mmu', 'const base = 0x1000\n');
    write('whole/sub/a.mmu', `import "../common.mmu"\nvm g {\n  slot 0 { gpa 0  size 16M }\n  ${RUN.replace('0x1000', 'base')}`);
    assert.equal(mmu(['test', 'whole']).status, 0);
    assert.equal(mmu(['test', 'whole/sub/a.mmu']).status, 2);
  });

  it('is no device, no FIFO, no folder, and no link that leads out', () => {
    mkdirSync(join(scratch(), 'opening/folder'), { recursive: true });
    execFileSync('mkfifo', [join(scratch(), 'opening/fifo')]);
    symlinkSync('/etc/passwd', join(scratch(), 'opening/link'));
    for (const [path, why] of [
      ['fifo', 'is a FIFO'],
      ['folder', 'is a directory'],
      ['link', 'lies outside'],
      ['/dev/zero', 'is the kernel’s own'],
      ['/proc/self/environ', 'is the kernel’s own'],
    ]) {
      write('opening/odd.mmu', `import "${path}"\n`);
      const { status, err } = mmu(['check', 'opening/odd.mmu'], 'const a = 1\n');
      assert.equal(status, 2, path);
      assert.ok(err.startsWith(`opening/odd.mmu:1:8: error: this file is not opened: it ${why}`), err);
    }
  });
});

describe('paths on the command line', () => {
  it('name regular files', () => {
    execFileSync('mkfifo', [join(scratch(), 'named.mmu')]);
    assert.deepEqual(mmu(['run', 'named.mmu']), { status: 2, out: '', err: 'named.mmu: is a FIFO\n' });
    assert.deepEqual(mmu(['run', '/dev/zero']), { status: 2, out: '', err: '/dev/zero: is a device\n' });
  });

  it('that cannot be read leave the others to be done', () => {
    write('several/good.mmu', `vm g {\n  slot 0 { gpa 0  size 16M }\n  ${RUN}`);
    const tested = mmu(['test', 'several/missing', 'several']);
    assert.equal(tested.status, 2);
    assert.match(tested.err, /^several\/missing: no such file or directory$/m);
    assert.match(tested.out, /1 passed, 0 failed/);
    write('several/odd.mmu', 'const   a = 1\n');
    const formatted = mmu(['fmt', 'several/missing.mmu', 'several/odd.mmu']);
    assert.equal(formatted.status, 2);
    assert.equal(readFileSync(join(scratch(), 'several/odd.mmu'), 'utf8'), 'const a = 1\n');
  });
});

describe('mmu fmt keeps of a file', () => {
  it('its other names', () => {
    write('links/a.mmu', 'const   a = 1\n');
    linkSync(join(scratch(), 'links/a.mmu'), join(scratch(), 'links/b.mmu'));
    assert.equal(mmu(['fmt', 'links/a.mmu']).status, 0);
    assert.equal(readFileSync(join(scratch(), 'links/b.mmu'), 'utf8'), 'const a = 1\n');
    assert.equal(statSync(join(scratch(), 'links/a.mmu')).nlink, 2);
    assert.deepEqual(readdirSync(join(scratch(), 'links')), ['a.mmu', 'b.mmu']);
  });

  it('its owner and mode', function () {
    if (process.getuid?.() !== 0) this.skip();
    write('owner/a.mmu', 'const   a = 1\n');
    const path = join(scratch(), 'owner/a.mmu');
    chownSync(path, 1234, 1234);
    assert.equal(mmu(['fmt', 'owner/a.mmu']).status, 0);
    assert.deepEqual([statSync(path).uid, statSync(path).gid], [1234, 1234]);
  });
});

describe('a command whose output fails', () => {
  const heavy = (): void =>
    void write('output/heavy.mmu', `vm g {\n  slot 0 { gpa 0  size 16M }\n  vcpu { paging none } }\nrun g { read 0x1000 x 20_000 }\n`);
  const bundle = (): string => join(scratch(), 'mmu.cjs');

  it('says so of a full disk', () => {
    heavy();
    const { status, stderr } = spawnSync('sh', ['-c', `"$0" "$1" run output/heavy.mmu >/dev/full`, process.execPath, bundle()], {
      cwd: scratch(),
      encoding: 'utf8',
    });
    assert.equal(status, 74);
    assert.equal(stderr, 'mmu: standard output: no space left on device\n');
  });

  it('ends quietly when its reader has gone', () => {
    heavy();
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `"$0" "$1" run --format json output/heavy.mmu | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`, process.execPath, bundle()],
      { cwd: scratch(), encoding: 'utf8' },
    );
    assert.equal(stdout, '141\n');
    assert.equal(stderr, '');
  });
});
