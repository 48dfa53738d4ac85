import { strict as assert } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { validStates, validTranslations } from '../export/schema';
import { mmu, scratch, write } from './mmu';

const GOOD = `vm guest {
  mmu ept

  slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000 }

  tables kernel at 0x1000 {
    0x40_0000 +16K -> 0x20_0000  rw user
  }
  vcpu { cr3 kernel }
}

run guest {
  user read 0x40_0123 expect ok
  kernel[0x40_0000].present = no
  user read 0x50_0000 expect #PF(U)
}
`;
const WRONG = GOOD.replace('cr3 kernel', 'cr3 kernal');
const BROKEN = GOOD.replace('vcpu {', 'vcpu {{{');

const text = (name: string): string => readFileSync(join(scratch(), name), 'utf8');

before(function () {
  this.timeout(60_000);
  scratch();
});

describe('mmu check', () => {
  it('says nothing of a good scenario and reports a wrong one at its place', () => {
    write('check/good.mmu', GOOD);
    write('check/wrong.mmu', WRONG);
    assert.deepEqual(mmu(['check', 'check/good.mmu']), { status: 0, out: '', err: '' });
    const { status, err } = mmu(['check', 'check/good.mmu', 'check/wrong.mmu']);
    assert.equal(status, 2);
    assert.match(err, /^check\/wrong\.mmu:9:14: error: /);
  });

  it('goes on after a file that cannot be read', () => {
    const { status, err } = mmu(['check', 'check/missing.mmu', 'check/wrong.mmu']);
    assert.equal(status, 2);
    assert.match(err, /missing\.mmu: no such file/);
    assert.match(err, /wrong\.mmu:9:14/);
  });
});

describe('mmu fmt', () => {
  it('writes the one form, once', () => {
    write('fmt/a.mmu', GOOD.replaceAll('  ', '      '));
    assert.deepEqual(mmu(['fmt', '--check', 'fmt/a.mmu']), { status: 1, out: 'fmt/a.mmu\n', err: '' });
    assert.deepEqual(mmu(['fmt', 'fmt/a.mmu']), { status: 0, out: '', err: '' });
    const once = text('fmt/a.mmu');
    assert.deepEqual(mmu(['fmt', '--check', 'fmt/a.mmu']), { status: 0, out: '', err: '' });
    assert.equal(text('fmt/a.mmu'), once);
    assert.deepEqual(readdirSync(join(scratch(), 'fmt')), ['a.mmu']);
  });

  it('filters standard input', () => {
    const { status, out } = mmu(['fmt', '-'], GOOD.replaceAll('  ', '      '));
    assert.equal(status, 0);
    assert.equal(out, text('fmt/a.mmu'));
  });

  it('leaves a file with syntax errors as it is', () => {
    write('fmt-broken/b.mmu', BROKEN);
    const { status, err } = mmu(['fmt', 'fmt-broken/b.mmu']);
    assert.equal(status, 2);
    assert.match(err, /^fmt-broken\/b\.mmu:\d+:\d+: error: /);
    assert.equal(text('fmt-broken/b.mmu'), BROKEN);
    assert.match(mmu(['fmt', '-'], BROKEN).err, /^<stdin>:\d+:\d+: error: /);
  });
});

describe('mmu test', () => {
  before(() => {
    write('suite/a.mmu', GOOD);
    write('suite/below/b.mmu', GOOD.replace('expect ok', 'expect #PF'));
    write('suite/notes.txt', 'not a scenario');
  });

  it('has a line for each expectation and a summary', () => {
    const { status, out } = mmu(['test', 'suite']);
    assert.equal(status, 1);
    assert.match(out, /^✓ suite\/a\.mmu:13 guest.*: ok$/m);
    assert.match(out, /^✗ suite\/below\/b\.mmu:13 guest.*: #PF: got ok/m);
    assert.match(out, /^3 passed, 1 failed in 2 files$/m);
  });

  it('prints failures alone on request', () => {
    const { out } = mmu(['test', '--failures', 'suite']);
    assert.doesNotMatch(out, /✓/);
    assert.match(out, /3 passed, 1 failed in 2 files/);
  });

  it('counts files with errors and goes on', () => {
    write('suite2/a.mmu', WRONG);
    write('suite2/b.mmu', GOOD);
    const { status, out, err } = mmu(['test', 'suite2', 'suite/a.mmu']);
    assert.equal(status, 2);
    assert.match(err, /suite2\/a\.mmu:9:14: error/);
    assert.match(out, /^4 passed, 0 failed, 1 file with errors in 3 files$/m);
  });

  it('has nothing to do in a folder without scenarios', () => {
    write('nothing/readme.txt', '');
    assert.equal(mmu(['test', 'nothing']).status, 2);
  });
});

describe('mmu state', () => {
  before(() => write('state.mmu', GOOD));

  it('shows the machine at the end, or before a line, under a kind', () => {
    const atEnd = mmu(['state', 'state.mmu']);
    assert.equal(atEnd.status, 0, atEnd.err);
    for (const each of [/^ {2}Page tables$/m, /PML4\[0\] \[0x0 \+512G\] = 0x\w+ \(P R\/W U\/S/, /CR3 = 0x1000/, /slot 0 \[0x0 \+/])
      assert.match(atEnd.out, each);
    assert.match(mmu(['state', 'state.mmu', '--under', 'soft']).out, /^ {4}SPT = 0x/m);
    assert.doesNotMatch(mmu(['state', 'state.mmu', '--under', 'soft', '--at', '1']).out, /SPT/);
    assert.match(mmu(['state', 'state.mmu', '--at', '0']).err, /--at takes a line's number/);
  });

  it('shows what is inside a node', () => {
    const { out } = mmu(['state', 'state.mmu', '--node', 'vcpus/0.0']);
    assert.match(out, /^ {2}CR0 = /m);
    assert.doesNotMatch(out, /Page tables/);
    const none = mmu(['state', 'state.mmu', '--node', 'nowhere']);
    assert.deepEqual([none.status, /no node nowhere/.test(none.err)], [2, true]);
  });

  it('is JSON by its schema', () => {
    const { out, status } = mmu(['state', 'state.mmu', '--format', 'json']);
    assert.equal(status, 0);
    const found = JSON.parse(out) as { states: { nodes: { name: string }[] }[] };
    assert.ok(validStates(found), JSON.stringify(validStates.errors));
    assert.equal(found.states[0].nodes[0].name, 'Page tables');
  });
});

describe('mmu translate', () => {
  before(() => {
    write('way.mmu', GOOD);
  });

  it('shows the way of an address at the end, or before a line', () => {
    const atEnd = mmu(['translate', 'way.mmu', '0x40_0123']);
    assert.equal(atEnd.status, 0, atEnd.err);
    // The guest has cleared P without INVLPG.
    assert.match(atEnd.out, /→ hpa 0x\S+ · the TLB is stale: memory says #PF\(U\): PT\[0\]\.P = 0/);
    const write = mmu(['translate', 'way.mmu', '0x40_0123', '--access', 'user write']);
    assert.match(write.out, /^ {2}#PF\(W U\): PT\[0\]\.P = 0$/m);
    assert.match(write.out, /explained in docs\/outcomes\.md#not-present/);
    const before = mmu(['translate', 'way.mmu', '0x40_0123', '--line', '14']);
    for (const each of [/PML4\[0\]/, /PT\[0\]/, /EPT1\[512\]|EPT1\[0\]/, /slot 0/, /→ hpa 0x/]) assert.match(before.out, each);
  });

  it('is JSON by its schema', () => {
    const { out, status } = mmu(['translate', 'way.mmu', '0x40_0123', '--format', 'json']);
    assert.equal(status, 0);
    const found = JSON.parse(out) as { translations: { end: { kind: string }; walks: unknown[] }[] };
    assert.ok(validTranslations(found), JSON.stringify(validTranslations.errors));
    assert.equal(found.translations[0].end.kind, 'ok');
    assert.match(mmu(['translate', 'way.mmu', '1', '--format', 'yaml']).err, /--format takes text, json or svg/);
    assert.match(mmu(['translate', 'way.mmu', '1', '--access', 'eat']).err, /--access takes user or supervisor/);
  });

  it('is a figure, a file of its own', () => {
    const { out, status } = mmu(['translate', 'way.mmu', '0x40_0123', '--access', 'user write', '--format', 'svg']);
    assert.equal(status, 0);
    assert.match(out, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>\n$/);
    assert.match(out, /class="verdict fault"[^>]*aria-label="#PF\(W U\): PT\[0\]\.P = 0"/);
    assert.match(out, /class="strike"/);
    assert.doesNotMatch(out, /<script|href=|url\(/);
  });

  it('takes guest-physical addresses, VMs and kinds', () => {
    assert.match(mmu(['translate', 'way.mmu', 'gpa:0x5000', '--mmu', 'soft', '--vm', 'guest']).out, /slot 0/);
    assert.match(mmu(['translate', 'way.mmu', '0x40_0123', '--vm', 'nobody']).err, /no VM nobody; there is guest/);
    assert.match(mmu(['translate', 'way.mmu', 'zero']).err, /zero is no address/);
    assert.match(mmu(['translate', 'way.mmu', '0x1_0000_0000_0000_0000']).err, /more than 64 bits/);
    assert.match(mmu(['translate', 'way.mmu', '0x0', '--line', 'x']).err, /--line takes/);
  });
});
