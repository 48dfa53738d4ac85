/** What KVM does by its own rules breaks no invariant: `check invariants` does not cry wolf. */
import { holds } from './scenario';

describe('invariants hold', () => {
  it('where CR0.WP = 0 makes a piece of a large page writable below a read-only entry', () => {
    holds(`vm guest {
  mmu soft
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 {
    0x40_0000 +2M -> 0x20_0000 rw pages 2M
    upper 0x40_0000 level 3 ro
  }
  vcpu { cr3 kernel  cr0.wp off }
}
run guest {
  supervisor write 0x40_0000  expect ok
  check invariants
}
`);
  });

  const NESTED = `vm l1 {
  slot 0 { gpa 0  size 16M }
  vcpu { paging none }
  vm l2 {
    slot 0 { gpa 0  size 4M  hva 0x40_0000 }
    tables process at 0x1000 { 0x40_0000 +16K -> 0x5000 rw user }
    vcpu { cr3 process }
  }
}
`;
  for (const [what, act] of [
    ['takes back', 'host reclaim gpa 0x40_1000'],
    ['writes to', 'host write gpa 0x40_1000 = 0'],
  ]) {
    it(`where the host ${what} memory of L1 in which a table of L2 lies`, () => {
      holds(`${NESTED}run l2 under soft on soft, soft on ept, soft on npt, ept on ept, npt on npt {
  user write 0x40_0000 = 7   expect ok
  l1: ${act}
  check invariants
  user read 0x40_0000
  check invariants
}
`);
    });
  }
});
