import { strict as assert } from 'node:assert';
import { mmu, write } from './mmu';

const COPIED = `vm guest {
  slot 0 { gpa 0  size 16M  untouched }
  tables kernel at 0x1000 { 0x40_0000 +2M -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
run guest under soft, ept {
  for i in 0 .. 2 {
    user read 0x40_0000 + i * 0x1000
    user write 0x40_0000 + i * 0x1000  expect ok
    expect events kvm_set_spte_hva
  }
  expect ok with kernel 6.12
  same
}
`;

describe('mmu bisect', () => {
  it('names the kernel with which an expectation changes, what it gets there, and the rule', () => {
    write('bisect/copied.mmu', COPIED.replace('    expect events', '    // The copy is told of.\n    expect events'));
    const { status, out } = mmu(['bisect', '--mmu', 'ept', 'bisect/copied.mmu']);
    const lines = out.split('\n');
    assert.equal(status, 1, out);
    assert.match(lines[0]!, /^bisect\/copied\.mmu:11 guest under ept: events kvm_set_spte_hva changes with kernel 6\.12, \d of \d times$/);
    assert.equal(lines[1], '  6.1   ✓');
    assert.match(lines[2]!, /^ {2}6\.12 {2}✗ got no kvm_set_spte_hva$/);
    assert.match(lines[3]!, /^ {2}changePteIsNotified \(mmu\/mmu\.c: kvm_set_spte_gfn\): /);
    assert.match(lines[4]!, /^1 change in \d+ expectations with kernels 6\.1, 6\.12$/);
  });

  it('looks at each run', () => {
    write('bisect/copied.mmu', COPIED);
    assert.match(mmu(['bisect', 'bisect/copied.mmu']).out, /guest under soft[^]*guest under ept[^]*^2 changes/m);
  });

  it('ends with 0 when none changes, whether it holds or not', () => {
    write('bisect/same.mmu', COPIED.replace('expect events kvm_set_spte_hva', 'expect exits 7'));
    const { status, out } = mmu(['bisect', 'bisect/same.mmu']);
    assert.equal(status, 0, out);
    assert.match(out, /^0 changes in \d+ expectations with kernels 6\.1, 6\.12\n$/);
  });

  it('ends with 2 for what cannot be run, with 3 when a budget is exceeded', () => {
    write('bisect/wrong.mmu', COPIED.replace('cr3 kernel', 'cr3 kernal'));
    write('bisect/endless.mmu', `budget { steps 3 }\n${COPIED}`);
    assert.equal(mmu(['bisect', 'bisect/wrong.mmu']).status, 2);
    assert.equal(mmu(['bisect', 'bisect/missing.mmu']).status, 2);
    assert.match(mmu(['bisect', 'bisect/none.mmu']).err, /no such file/);
    const { status, err } = mmu(['bisect', 'bisect/endless.mmu']);
    assert.deepEqual([status, /guest under soft with kernel 6\.1: .*3 steps/.test(err)], [3, true], err);
  });
});
