import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validComparisons } from '../export/schema';
import { mmu, scratch, write } from './mmu';

const SCRIPT = `vm guest {
  slot 0 { gpa 0 size 16M }
  tables kernel at 0x1000 { 0x40_0000 +16K -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
run guest under soft {
  user read 0x40_0123
  user fetch 0x80_0000
}
`;

before(function () {
  this.timeout(60_000);
  scratch();
  write('compared.mmu', SCRIPT);
  write('other.mmu', SCRIPT.replace('0x40_0123', '0x40_1123'));
  write('several.mmu', SCRIPT.replace('under soft', 'under soft, ept'));
});

describe('mmu compare', () => {
  it('under several kinds, and ends with 1 where something differs', () => {
    const { status, out, err } = mmu(['compare', 'compared.mmu', '--under', 'soft,ept']);
    assert.deepEqual([status, err], [1, '']);
    assert.match(out, /^guest under soft\nguest under ept\n≠ {4}7 {2}user read 0x40_0123 {2}\(exits/);
    assert.match(out, /^exits {12}soft {2}ept$/m);
    assert.match(out, /^2 of 2 statements differ$/m);
  });

  it('takes the runs of the script itself', () => {
    assert.match(mmu(['compare', 'several.mmu']).out, /^guest under soft\nguest under ept\n/);
  });

  it('with several kernels, and ends with 0 where nothing differs', () => {
    const { status, out } = mmu(['compare', 'compared.mmu', '--kernel', '6.1,6.12']);
    assert.deepEqual([status, out.split('\n').at(-3)], [0, 'no difference in 2 statements']);
  });

  it('with another file', () => {
    const { status, out } = mmu(['compare', 'compared.mmu', '--with', 'other.mmu']);
    assert.equal(status, 1);
    assert.match(out, /other\.mmu {5}7: user read 0x40_1123/);
  });

  it('as JSON by its schema', () => {
    const { status, out } = mmu(['compare', 'compared.mmu', '--under', 'soft,ept,npt', '--format', 'json']);
    assert.equal(status, 1);
    const document = JSON.parse(out) as { comparisons: { lines: { in: { line: number }[] }[] }[] };
    assert.ok(validComparisons(document), JSON.stringify(validComparisons.errors));
    assert.deepEqual(document.comparisons[0].lines[0].in.map(({ line }) => line), [7, 7, 7]); // prettier-ignore
  });

  it('ends with 2 where there is nothing to compare, or a kind is none', () => {
    assert.match(mmu(['compare', 'compared.mmu']).err, /one run only; say --under, --kernel or --with/);
    const { status, err } = mmu(['compare', 'compared.mmu', '--under', 'soft,etp']);
    assert.deepEqual([status, err], [2, 'mmu compare: --under takes some of soft,ept,npt, not etp\n']);
  });

  it('ends with 3 when a budget is used up', () => {
    write(
      'endless.mmu',
      SCRIPT.replace('user read 0x40_0123', 'user read 0x40_0123 x 100_000').replace('run', 'budget { steps 1000 }\nrun'),
    );
    assert.equal(mmu(['compare', 'endless.mmu', '--under', 'soft,ept']).status, 3);
  });
});

describe('mmu report', () => {
  it('writes a page', () => {
    const { status, out, err } = mmu(['report', 'compared.mmu', '-o', 'page.html']);
    assert.deepEqual([status, out, err], [0, '', '']);
    const page = readFileSync(join(scratch(), 'page.html'), 'utf8');
    assert.match(page, /<h1>compared\.mmu<\/h1>/);
    assert.match(page, /#PF\(U I\)/);
    assert.equal(mmu(['report', 'compared.mmu']).out, page);
  });

  it('draws the walk of a line that is asked for', () => {
    write('quiet.mmu', SCRIPT.replace('  user fetch', '  user read 0x40_0123\n  user fetch'));
    const figures = (page: string): number => page.split('<figure>').length - 1;
    const [asked, not] = [mmu(['report', 'quiet.mmu', '--line', '8']).out, mmu(['report', 'quiet.mmu']).out];
    assert.equal(figures(asked), figures(not) + 1);
  });

  it('does not write over a scenario, and says what cannot be written', () => {
    assert.match(mmu(['report', 'compared.mmu', '-o', 'other.mmu']).err, /takes a file for the page, not a scenario/);
    assert.match(mmu(['report', 'compared.mmu', '-o', 'none/page.html']).err, /^none\/page\.html: no such file or directory/);
  });
});
