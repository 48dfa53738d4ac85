/** What `page …` says of a page, under each kind of MMU. */
import { holds } from './scenario';

const GUEST = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 {
    0x40_0000 +64K -> 0x20_0000 rw user accessed dirty
    0x50_0000 +4K  -> 0x30_0000 ro user accessed dirty
  }
  vcpu { cr3 kernel }
}
`;

describe('a page', () => {
  it('is not write-protected where a leaf lets it be written', () => {
    holds(`${GUEST}run under soft, ept, npt {
      user write 0x40_0000  expect page 0x20_0000 not write_protected
    }`);
  });

  it('is write-protected in a slot that logs, until it is written', () => {
    holds(`host { kvm { pml off } }\n${GUEST}run under soft, ept, npt {
      user write 0x40_0000  expect page 0x20_0000 not write_protected
      host flags slot 0 log_dirty
      user read 0x40_0000   expect page 0x20_0000 write_protected
      user write 0x40_0000  expect page 0x20_0000 not write_protected
    }`);
  });

  it('that nothing maps is not write-protected', () => {
    holds(`${GUEST}run under soft, ept, npt { user read 0x40_0000  expect page 0x80_0000 not write_protected }`);
  });

  it('holding a table is write-protected by shadow paging alone', () => {
    holds(`${GUEST}run under soft, ept, npt {
      user read 0x40_0000
      expect page 0x4000 write_protected, page 0x4000 synced under soft
      expect page 0x4000 not write_protected, page 0x4000 not shadowed under ept, npt
    }`);
  });

  it('that only read-only entries of the guest map is writable for EPT and NPT', () => {
    holds(`${GUEST}run under soft, ept, npt {
      user read 0x50_0000
      expect page 0x30_0000 write_protected under soft
      expect page 0x30_0000 not write_protected under ept, npt
    }`);
  });
});
