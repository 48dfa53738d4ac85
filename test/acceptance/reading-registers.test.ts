/** What MOV from a control register costs under each kind of MMU (vmx.c: handle_cr; svm.c: cr_interception, svm_set_cr0, init_vmcb). */
import { holds } from './scenario';

const GUEST = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 { 0x40_0000 +64K -> 0x20_0000 rw user }
  vcpu { cr3 kernel  cr4.smep on }
}
`;
const NESTED = `vm l1 {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
  vcpu { cr3 kernel }
  vm l2 {
    slot 0 { gpa 0  size 4M  hva 0x40_0000 }
    tables process at 0x1000 { 0x40_0000 +16K -> 0x8000 rw user }
    vcpu { cr3 process }
  }
}
`;

describe('rdmsr', () => {
  it('of EFER exits under every kind, and gives what the guest wrote', () => {
    holds(`${GUEST}run guest under soft, ept, npt {
      efer.nxe = on
      rdmsr efer  expect ok, value 0xd00
                  expect exits 1 of MSR_READ, events kvm_msr(value 0xd00, write 0) under soft, ept
                  expect exits 1 of msr under npt
      same
    }`);
  });

  it('is an exit of L2 that L1 answers, KVM or script', () => {
    holds(`${NESTED}run l2 under ept on ept, soft on ept { rdmsr efer  expect ok, exits >= 2 }`);
  });
});

describe('mov from', () => {
  it('CR3 exits under soft MMU alone, and gives what the guest loaded', () => {
    holds(`${GUEST}run guest under soft, ept, npt {
      mov from cr3  expect ok, value kernel
                    expect exits 1 of CR_ACCESS, events kvm_exit(CR_ACCESS, info1 0x13), kvm_cr(3, value kernel, write 0) under soft
                    expect exits 0 under ept, npt
      same
    }`);
  });

  it('is read_cr3 on AMD', () => {
    holds(`host { cpu { vendor amd } }\n${GUEST}run guest under soft { mov from cr3  expect value kernel, exits 1 of read_cr3 }`);
  });

  it('CR4 exits on AMD, always, and never on Intel', () => {
    holds(`${GUEST}run guest under soft, ept, npt {
      mov from cr4  expect value 0x10_0020
                    expect exits 0 under soft, ept  expect exits 1 of read_cr4 under npt
    }`);
  });

  it('CR0 exits on AMD as long as a soft MMU keeps another CR0 in hardware', () => {
    holds(`host { cpu { vendor amd } }\n${GUEST}run guest under soft {
      mov from cr0  expect exits 0
      cr0.wp = off
      mov from cr0  expect exits 1 of read_cr0
      cr0.wp = on
      mov from cr0  expect exits 0
    }`);
  });

  it('CR2 is the address of the last #PF, and costs nothing', () => {
    holds(`${GUEST}run guest under soft, ept, npt {
      user read 0x50_0000  expect #PF(U)
      mov from cr2         expect value 0x50_0000, exits 0
    }`);
  });

  it('of a guest of a guest exits to L1 where L1 has a soft MMU', () => {
    holds(`${NESTED}run l2 under soft on soft, soft on ept, ept on ept {
      user read 0x40_0000  expect ok
      mov from cr3         expect value process
                           expect exits 0 under ept on ept
                           expect exits >= 2, exits 1 of CR_ACCESS from l2 under soft on soft, soft on ept
      same
    }`);
  });

  it('ends in an exit for an L1 that the script plays', () => {
    holds(`vm l1 {
      hypervisor script
      slot 0 { gpa 0  size 16M }
      tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
      tables spt at 0x10_0000 { 0x40_0000 +16K -> 0x40_8000 rw user }
      vcpu { cr3 kernel }
      vm l2 {
        mmu soft  root spt
        slot 0 { gpa 0  size 4M  hva 0x40_0000 }
        tables process at 0x1000 { 0x40_0000 +16K -> 0x8000 rw user }
        vcpu { cr3 process }
      }
    }
    run l2 under soft on ept {
      l1: vmlaunch   expect ok
      mov from cr3   expect exit CR_ACCESS
      mov from cr3   expect error EAGAIN
      l1: vmresume   expect ok
      mov from cr0   expect ok, exits 0
    }`);
  });
});
