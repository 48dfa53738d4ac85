/** Guests that cannot go on: triple faults, and outcomes of KVM_RUN that are no fault of the guest's. */
import assert from 'node:assert/strict';
import { holds, tracepointCount } from './scenario';

const GUEST = `vm guest {
  slot 0 { gpa 0  size 16M }
  slot 1 { gpa 1G  size 4K }
  tables kernel at 0x1000 { 0x40_0000 +4K -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
`;

describe('a guest that cannot go on', () => {
  it('is shut down when its root is in no slot under soft MMU (6.1 mmu.c: mmu_check_root)', () => {
    const views = holds(`${GUEST}run guest under soft {
  read 0x40_0000      expect ok
  cr3 = 0x8000_0000   expect shutdown
  read 0x40_0000      expect shutdown
}
`);
    assert.equal(tracepointCount(views, 'kvm_userspace_exit'), 2);
    assert.equal(tracepointCount(views, 'kvm_inj_exception'), 0, 'no fault comes before');
  });

  it('is shut down when the slot of its root goes', () => {
    holds(`${GUEST}run guest under soft {
  cr3 = 0x4000_0000    expect ok
  host delete slot 1   expect ok
  read 0x40_0000       expect shutdown
  host create slot 1 { gpa 1G  size 4K }
  read 0x40_0000       expect #PF()
}
`);
  });

  it('is not under EPT and NPT, where the walk meets what is there', () => {
    holds(`${GUEST}run guest under ept, npt {
  cr3 = 0x8000_0000   expect ok
}
`);
  });

  it('is shut down when a PDPTE names a directory in no slot', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel pae at 0x1000 { 0x40_0000 +4K -> 0x20_0000 rw user }
  vcpu { paging pae  cr3 kernel }
}
run guest under soft {
  read 0x40_0000        expect ok
  word 0x9000 = 0x8000_0001
  cr3 = 0x9000          expect shutdown
}
`);
  });

  it('is an exit of its guest for L1: TRIPLE_FAULT of an EPTP12 in no slot (6.1 nested.c: nested_vmx_triple_fault), and then the end (vmx.c: KVM_BUG_ON)', () => {
    holds(`vm l1 {
  mmu ept
  hypervisor script
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
  vcpu { cr3 kernel }
  vm l2 {
    mmu ept
    slot 0 { gpa 0  size 2M  hva 0x40_0000 }
    tables process at 0x10_0000 { 0x40_0000 +32K -> 0x8000 rw user }
    vcpu { cr3 process }
  }
}
run l1 {
  vmcs.eptp = 0x4000_001e
  vmlaunch l2                    expect exit TRIPLE_FAULT
  read 0xffff_8880_0010_0000     expect error EIO
  host reclaim gpa 0x10_0000     expect ok
  host flags slot 0 log_dirty    expect error EIO
}
`);
  });
});

describe('what KVM_RUN returns besides', () => {
  it('ELOOP: a fault that nothing helps', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 { 0x40_0000 +4K -> 0x20_0000 rw user }
  vcpu { cr3 kernel  cr4.smap on }
}
run guest under soft { implicit read 0x40_0000 ac on  expect error ELOOP }
`);
  });

  it('KVM_INTERNAL_ERROR: an instruction that cannot be fetched', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 640K }
  vcpu { paging none }
}
run guest { fetch 0xa_0000  expect error KVM_INTERNAL_ERROR }
`);
  });
});
