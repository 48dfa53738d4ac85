import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from '../export/schema';
import { mmu, ROOT, scratch, write } from './mmu';

const GOOD = `vm guest {
  slot 0 { gpa 0 size 16M hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 { 0x40_0000 +16K -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
run guest under soft, ept {
  user read 0x40_0123 expect ok
  user fetch 0x80_0000 expect #PF(U I)
}
`;
const FAILING = GOOD.replace('expect ok', 'expect ok, exits 77');
const WRONG = GOOD.replace('cr3 kernel', 'cr3 kernal');
const ENDLESS = GOOD.replace('  user read 0x40_0123 expect ok\n', '  user read 0x40_0000 x 1_000_000_000\n');

before(function () {
  this.timeout(60_000);
  scratch();
  write('good.mmu', GOOD);
  write('failing.mmu', FAILING);
  write('wrong.mmu', WRONG);
});

describe('mmu run', () => {
  it('loads memory from files beside the scenario', () => {
    write('dumps/guest.dump', new Uint8Array([7, 0, 0, 0, 0, 0, 0, 1]));
    const vm = (file: string): string => `vm guest { slot 0 { gpa 0 size 16M } load "${file}" at 0x5000 vcpu { paging none } }\n`;
    write('dumps/load.mmu', `${vm('guest.dump')}run guest { read 0x5000 expect value 0x100_0000_0000_0007 }\n`);
    write('dumps/none.mmu', `${vm('none.dump')}run guest { read 0x5000 }\n`);
    const { status, out, err } = mmu(['run', 'dumps/load.mmu']);
    assert.equal(status, 0, out + err);
    assert.match(mmu(['run', 'dumps/none.mmu']).err, /no-such-file|cannot be read/);
  });

  it('prints the run and ends with 0 when all expectations hold', () => {
    const { status, out, err } = mmu(['run', 'good.mmu']);
    assert.equal(err, '');
    assert.equal(status, 0, out);
    assert.match(out, /guest under soft/);
    assert.match(out, /guest under ept/);
    assert.match(out, /user read 0x40_0123/);
    assert.match(out, /kvm_exit/);
    assert.match(out, /✓ 2 expectations hold/);
  });

  it('runs with one kernel alone', () => {
    const { status, out, err } = mmu(['run', 'good.mmu', '--kernel', '6.12', '--mmu', 'ept', '--brief']);
    assert.deepEqual([status, err], [0, '']);
    assert.match(out, /^guest under ept with kernel 6\.12$/m);
    assert.match(mmu(['run', 'good.mmu', '--kernel', '5.10']).err, /--kernel takes 6\.1, 6\.12, not 5\.10/);
  });

  it('ends with 1 when an expectation fails, and says what happened instead', () => {
    const { status, out } = mmu(['run', 'failing.mmu', '--brief']);
    assert.equal(status, 1);
    assert.match(out, /✗ exits 77: got 1 exit: EXCEPTION_NMI/);
  });

  it('ends with 2 and diagnostics when the scenario is wrong', () => {
    const { status, out, err } = mmu(['run', 'wrong.mmu']);
    assert.equal(status, 2);
    assert.equal(out, '');
    assert.match(err, /^wrong\.mmu:4:14: error: .*kernal.* \[[a-z-]+\]$/m);
  });

  it('ends with 3 when a budget is used up, keeping what was run', function () {
    this.timeout(60_000);
    write('endless.mmu', ENDLESS);
    const { status, out, err } = mmu(['run', 'endless.mmu', '--brief', '--mmu', 'soft', '--time-limit', '20']);
    assert.equal(status, 3, err + out.slice(0, 2000));
    assert.match(out, /budget/);
  });

  it('runs one kind alone', () => {
    const { out } = mmu(['run', 'good.mmu', '--mmu', 'npt', '--brief']);
    assert.match(out, /guest under npt/);
    assert.doesNotMatch(out, /under soft|under ept/);
  });

  it('reads standard input', () => {
    assert.equal(mmu(['run', '-', '--brief'], GOOD).status, 0);
    assert.match(mmu(['run', '-'], WRONG).err, /^<stdin>:4:14: error: /);
  });

  it('prints the same every time', () => {
    for (const format of ['text', 'json', 'ftrace']) {
      const args = ['run', 'good.mmu', '--format', format];
      assert.equal(mmu(args).out, mmu(args).out);
    }
  });

  it('prints JSON by its schema', () => {
    const { out } = mmu(['run', 'failing.mmu', '--format', 'json']);
    assert.equal(validate(JSON.parse(out)), true, JSON.stringify(validate.errors?.slice(0, 3)));
    const { summary, runs } = JSON.parse(out) as { summary: object; runs: { events: unknown[] }[] };
    assert.deepEqual(summary, { runs: 2, held: 4 - 0, failed: 2, exitStatus: 1 });
    assert.ok(runs.every(({ events }) => events.length > 10));
  });

  it('prints what trace-cmd prints', () => {
    const { out } = mmu(['run', 'good.mmu', '--format', 'ftrace', '--mmu', 'soft']);
    const lines = out.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of lines)
      assert.match(line, /^ *soft-guest-\d+ +\[000\] \.{5} +\d+\.\d{6}: (kvm_|mark_mmio|check_mmio|handle_mmio|fast_|vcpu_)\w+: /);
    assert.ok(lines.some((line) => /kvm_exit: vcpu 0 reason EXCEPTION_NMI rip 0x\w+ info1 0x0000000000400123 /.test(line)));
  });
});

describe('every sample', () => {
  for (const name of readdirSync(join(ROOT, 'samples')).filter((each) => each.endsWith('.mmu'))) {
    it(`${name} holds, and is JSON by the schema`, function () {
      this.timeout(60_000);
      const { status, out, err } = mmu(['run', join(ROOT, 'samples', name), '--format', 'json']);
      assert.equal(status, 0, err);
      assert.equal(validate(JSON.parse(out)), true, JSON.stringify(validate.errors?.slice(0, 3)));
    });
  }
});

describe('mmu run on bad input', () => {
  it('explains files that are none', () => {
    write('binary.mmu', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3]));
    write('latin1.mmu', Uint8Array.from([0x76, 0x6d, 0x20, 0xe9, 0x0a]));
    const refused: [string, RegExp][] = [
      ['missing.mmu', /^missing\.mmu: no such file or directory\n$/],
      ['.', /^\.: is a directory\n$/],
      ['binary.mmu', /^binary\.mmu: is a binary file\n$/],
      ['latin1.mmu', /^latin1\.mmu: is not UTF-8 text\n$/],
    ];
    for (const [path, message] of refused) {
      const { status, out, err } = mmu(['run', path]);
      assert.equal(status, 2);
      assert.equal(out, '');
      assert.match(err, message);
    }
  });

  it('has something to say of an empty file', () => {
    write('empty.mmu', '');
    const { status, err } = mmu(['run', 'empty.mmu']);
    assert.equal(status, 2);
    assert.match(err, /^empty\.mmu.*\n/);
  });

  it('takes a file of 50 MB, braces nested 100,000 deep, CRLF and a BOM', function () {
    this.timeout(60_000);
    write('large.mmu', '// much\n'.repeat(50 * 131_072));
    write('deep.mmu', 'vm a '.concat('{'.repeat(100_000)));
    write('crlf.mmu', `\ufeff${WRONG.replaceAll('\n', '\r\n')}`);
    for (const name of ['large.mmu', 'deep.mmu']) {
      const { status, err } = mmu(['run', name]);
      assert.equal(status, 2, name);
      assert.match(err, new RegExp(`^${name.replace('.', '\\.')}`));
    }
    assert.match(mmu(['run', 'crlf.mmu']).err, /^crlf\.mmu:4:14: error: /);
  });

  it('refuses a loop of 10^9 rounds at its place', () => {
    write('loop.mmu', GOOD.replace('user read 0x40_0123', 'for i in 0 .. 1_000_000_000 { user read 0x40_0000 }\n  user read 0x40_0123'));
    const { status, err } = mmu(['run', 'loop.mmu']);
    assert.equal(status, 2);
    assert.match(err, /^loop\.mmu:7:12: error: .*rounds/);
  });

  it('says what the command does not know', () => {
    assert.equal(mmu([]).status, 2);
    assert.match(mmu(['frobnicate']).err, /no command frobnicate/);
    assert.match(mmu(['run', 'good.mmu', '--format', 'xml']).err, /--format takes text, json, ftrace, not xml/);
    assert.match(mmu(['run', 'good.mmu', '--time-limit', 'soon']).err, /--time-limit takes seconds/);
  });
});

describe('mmu', () => {
  it('has help and a version', () => {
    assert.deepEqual(mmu(['--version']), { status: 0, out: 'mmu 1.2.3-test\n', err: '' });
    assert.match(mmu(['--help']).out, /usage: mmu COMMAND/);
    assert.match(mmu(['run', '--help']).out, /usage: mmu run/);
  });

  it('prints to a reader that goes away', () => {
    assert.equal(mmu(['run', 'good.mmu', '--format', 'json']).status, 0);
    assert.ok(readFileSync(join(scratch(), 'good.mmu'), 'utf8') === GOOD);
  });
});
