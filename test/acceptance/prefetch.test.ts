/** Which entries are mapped without a fault: those that the processor would take (paging_tmpl.h: prefetch_invalid_gpte). */
import assert from 'node:assert/strict';
import { ftrace } from '../../server/src/export/ftrace';
import { holds } from './scenario';

/** Frames of L1 that L0 maps in one group of an EPT12 without A/D, of which L2 reads the first page; others are written as said. */
function mapped(entries: string, cpu = ''): string[] {
  const views = holds(`host { memory 64M  cpu { ${cpu} }  kvm { pml off } }
vm l1 {
  mmu ept
  hypervisor script
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
  tables ept12 ept at 0x2_0000 { 0 +2M -> 0x40_0000 }
  vcpu { cr3 kernel }
  vm l2 {
    mmu ept
    root ept12
    slot 0 { gpa 0  size 2M  hva 0x40_0000 }
    tables process at 0x10_0000 { 0x40_0000 +32K -> 0x8000 rw user accessed dirty }
    vcpu { cr3 process }
  }
}
run l1 {
  vmcs.eptp = 0x2_001e
${entries}
  vmlaunch l2
  l2: user read 0x40_0000   expect ok
}
`);
  const found = [...ftrace(views)].flatMap((line) => /kvm_mmu_set_spte: gfn (40[8-f]) /.exec(line)?.[1] ?? []);
  return [...new Set(found)].sort();
}

describe('around an entry of EPT12 that a fault has filled', () => {
  it('what is well-formed is mapped as well', () => {
    assert.deepEqual(mapped(''), ['408', '409', '40a', '40b', '40c', '40d', '40e', '40f']);
  });

  for (const [what, value] of [
    ['W without R', 0x32],
    ['W and X without R', 0x36],
    ['a reserved memory type', 0x17],
    ['reserved bits', '0x8_0000_0000_0037'],
  ] as const) {
    it(`the scan ends at an entry with ${what}`, () => {
      const entry = typeof value === 'string' ? value : `0x40_b0${value.toString(16)}`;
      assert.deepEqual(mapped(`  ept12[0xb000] = ${entry}`), ['408', '409', '40a']);
    });
  }

  it('X alone is well-formed where the processor has it', () => {
    assert.deepEqual(mapped('  ept12[0xb000] = 0x40_b034'), ['408', '409', '40a', '40b', '40c', '40d', '40e', '40f']);
    assert.deepEqual(mapped('  ept12[0xb000] = 0x40_b034', 'ept_execute_only off'), ['408', '409', '40a']);
  });
});

describe('around an entry of a guest that a fault has filled', () => {
  it('XD without EFER.NXE is a reserved bit: the scan ends there', () => {
    for (const [nxe, frames] of [
      ['on', ['8', '9', 'a', 'b']],
      ['off', ['8']],
    ] as const) {
      const views = holds(`vm guest {
  mmu soft
  slot 0 { gpa 0  size 16M }
  tables process at 0x10_0000 { 0x40_0000 +16K -> 0x8000 rw user accessed dirty }
  vcpu { cr3 process  efer.nxe ${nxe} }
}
run guest {
  process[0x40_1000] = 0x8000_0000_0000_9067
  user read 0x40_0000   expect ok
}
`);
      const found = [...ftrace(views)].flatMap((line) => /kvm_mmu_set_spte: gfn ([89ab]) /.exec(line)?.[1] ?? []);
      assert.deepEqual([...new Set(found)].sort(), frames, `nxe ${nxe}`);
    }
  });
});
