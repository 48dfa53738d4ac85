/** What a guest hypervisor executes when its guest invalidates, and what that costs. */
import { holds } from './scenario';

const nested = (l1: string): string => `vm l1 {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw accessed dirty }
  vcpu { cr3 kernel }
  vm l2 {
    mmu ${l1}
    slot 0 { gpa 0  size 4M  hva 0x40_0000 }
    tables process at 0x1000 { 0x40_0000 +16K -> 0x8000 rw user accessed dirty }
    vcpu { cr3 process }
  }
}
`;

describe('INVLPG of L2', () => {
  it('is INVVPID of an Intel L1 that shadows, once, behind its own work and before VMRESUME', () => {
    for (const host of ['ept', 'soft']) {
      holds(`${nested('soft')}run l2 under soft on ${host} {
        user read 0x40_0000   expect ok
        invlpg 0x40_0000      expect exits 1 of INVLPG, exits 1 of INVVPID, exits 1 of VMRESUME
                              expect events kvm_nested_vmexit_inject(INVLPG), kvm_exit(INVVPID), kvm_exit(VMRESUME)
      }`);
    }
  });

  it('is nobody else’s where L1 uses EPT', () => {
    holds(`${nested('ept')}run l2 under ept on ept {
      user read 0x40_0000   expect ok
      invlpg 0x40_0000      expect exits 0
    }`);
  });
});
