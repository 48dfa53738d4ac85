/** docs/model.md, "Where KVM itself falls short": the model follows KVM there, so the kinds of MMU differ for the guest. */
import { holds } from './scenario';

const GUEST = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 {
    0x40_0000 +16K  -> 0x20_0000  rw user nx accessed dirty
    table 0x40_0000 level 1 at 0x4000
  }
  vcpu { cr3 kernel }
}
`;
const run = (script: string): unknown => holds(`${GUEST}run guest under soft, ept, npt {\n${script}\n}\n`);

describe('where KVM differs from the architecture under soft MMU', () => {
  it('an implicit access to a user page under SMAP with EFLAGS.AC faults for ever', () => {
    run(`cr4.smap = on
      supervisor read 0x40_0000 ac on  expect ok
      implicit read 0x40_0000 ac on    expect exits 512 of #PF under soft
                                       expect #PF(P) under ept, npt`);
  });

  it('there are no protection keys', () => {
    run(`cr4.pke = on         expect #GP under soft
      pkru = 1
      user read 0x40_0000   expect ok under soft
                            expect #PF(P U PK) under ept, npt`);
  });

  it('a mapped page with bit 63 outlives EFER.NXE', () => {
    run(`user read 0x40_0000  expect ok
      efer.nxe = off
      user read 0x40_0000   expect ok under soft
                            expect #PF(P U RSVD) under ept, npt`);
  });

  it('what the VMM writes into a page table in sync is not seen', () => {
    run(`user read 0x40_0000  expect ok
      host write gpa 0x4000 = 0x22_0067
      invlpg 0x40_0000
      cr3 = kernel
      user read 0x40_0000   expect gpa 0x20_0000 under soft
                            expect gpa 0x22_0000 under ept, npt`);
  });

  it("SMAP with WP = 0: a page that the supervisor wrote with AC = 1 is the supervisor's", () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 { 0x40_0000 +4K -> 0x20_0000 ro user }
  vcpu { cr3 kernel  cr0.wp off  cr4.smap on }
}
run guest under soft, ept, npt {
  supervisor read 0x40_0000         expect #PF(P)
  supervisor write 0x40_0000 ac on  expect ok
  supervisor write 0x40_0000        expect ok under soft
                                    expect #PF(P W) under ept, npt
  supervisor read 0x40_0000         expect ok under soft
                                    expect #PF(P) under ept, npt
}
`);
  });

  it('page tables in read-only memory are taken for the data where offsets are equal', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 64K  readonly }
  slot 1 { gpa 1M  size 15M }
  tables kernel at 0x1000 { 0x40_0000 +16K -> 0x20_0000 rw user accessed dirty }
  vcpu { cr3 kernel }
}
run guest under soft, ept, npt {
  user read 0x40_0000   expect gpa 0x20_0000 under soft
                        expect gpa 0x1000 under ept, npt
}
`);
  });
});
