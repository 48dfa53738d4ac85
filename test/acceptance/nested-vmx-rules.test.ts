/** Rules of KVM that recordings of a nested VMX guest showed (docs/fidelity.md), with an L1 that the script plays. */
import assert from 'node:assert/strict';
import { ftrace } from '../../server/src/export/ftrace';
import { holds, tracepointCount } from './scenario';

/** L1 with memory of 2M host pages where L2's is; its tables lie in `tables`. */
const L1 = (l2: string, tables: string, pages = '2M'): string => `host { memory 64M  kvm { pml off } }
vm l1 {
  mmu ept
  hypervisor script
  slot 0 { gpa 0  size 4M  pages ${pages} }
  slot 1 { gpa 4M  size 12M  pages ${pages} }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
  tables ${tables}
  vcpu { cr3 kernel }
  vm l2 {
    ${l2}
    slot 0 { gpa 0  size 2M  hva 0x40_0000 }
    tables process at 0x10_0000 { 0x40_0000 +32K -> 0x8000 rw user accessed dirty }
    vcpu { cr3 process }
  }
}
`;
const EPT = 'mmu ept\n    root ept12';

describe('rules of KVM 6.1 seen in recordings of nested VMX', () => {
  it('a huge spte of the TDP MMU in the way of a small one is zapped, not split (tdp_mmu.c: kvm_tdp_mmu_map)', () => {
    holds(`${L1(EPT, 'ept12 ept at 0x2_0000 { 0 +2M -> 0x40_0000 }')}run l1 {
  vmcs.eptp = 0x2_001e
  read 0xffff_8880_0010_0000         expect ok
  vmlaunch l2
  l2: user read 0x40_0000            expect ok
  ept12[0x8000].writable = no
  read 0xffff_8880_0010_0000         expect ok, exits 1 of EPT_VIOLATION
  read 0xffff_8880_0011_0000         expect ok, exits 1 of EPT_VIOLATION
}
`);
  });

  it('dirty logging splits the huge leaves of a nested guest at once (mmu.c: shadow_mmu_split_huge_page)', () => {
    const views = holds(`${L1(EPT, 'ept12 ept at 0x2_0000 { 0 +2M -> 0x40_0000 pages 2M }')}run l1 {
  vmcs.eptp = 0x2_001e
  vmlaunch l2
  l2: user read 0x40_0000    expect ok
  host flags slot 1 log_dirty
  vmresume l2
  l2: user write 0x40_1000   expect ok, exits 1 of EPT_VIOLATION
  l2: user read 0x40_0000    expect ok, exits 0
  host get dirty log slot 1  expect dirty slot 1 [0x40_9000]
}
`);
    assert.ok(tracepointCount(views, 'kvm_mmu_split_huge_page') > 0);
  });

  it('the guest of an L1 without EPT runs with EPTP.AD = 0: walks are reads (vmx.c: construct_eptp)', () => {
    const SOFT = 'mmu soft\n    root spt12';
    const views = holds(`${L1(SOFT, 'spt12 at 0x2_0000 { 0x40_0000 +32K -> 0x40_8000 rw user accessed dirty }')}run l1 {
  vmlaunch l2
  l2: user read 0x40_0000   expect ok
}
`);
    const codes = [...ftrace(views)].flatMap((line) => /kvm_nested_vmexit: .*EPT_VIOLATION.* info1 0x0*([0-9a-f]+) /.exec(line)?.[1] ?? []);
    assert.ok(codes.includes('81') && !codes.includes('83'), String(codes));
  });

  it('EPT_MISCONFIG handed to L1 has the qualification of the violation (nested.c: nested_ept_inject_page_fault)', () => {
    const views = holds(`${L1(EPT, 'ept12 ept at 0x2_0000 { 0 +2M -> 0x40_0000 }', '4K')}run l1 {
  vmcs.eptp = 0x2_001e
  ept12[0x8000] = 0x40_8032
  vmlaunch l2
  l2: user read 0x40_0000   expect exit EPT_MISCONFIG
}
`);
    assert.ok([...ftrace(views)].some((line) => /kvm_nested_vmexit_inject: reason: EPT_MISCONFIG ext_inf1: 0x0*181 /.test(line)));
  });

  it('below a 2M leaf of an EPT12 without A/D the group of 8 is mapped as well (paging_tmpl.h: pte_prefetch)', () => {
    const views = holds(`${L1(EPT, 'ept12 ept at 0x2_0000 { 0 +2M -> 0x40_0000 pages 2M }', '4K')}run l1 {
  vmcs.eptp = 0x2_001e
  vmlaunch l2
  l2: user read 0x40_0000   expect ok
}
`);
    const mapped = [...ftrace(views)].filter((line) => /kvm_mmu_set_spte: gfn 40[8-f] spte 75/.test(line));
    assert.equal(mapped.length, 7, 'access-tracked, without rights');
  });
});
