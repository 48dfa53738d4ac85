/** Rules of KVM that recordings of a real kernel showed (docs/fidelity.md): each by a scenario whose outcome depends on it. */
import assert from 'node:assert/strict';
import { holds, tracepointCount } from './scenario';

describe('rules of KVM 6.1 seen in recordings', () => {
  it('prefetch stops at an MMIO spte, which is not present to it (paging_tmpl.h: pte_prefetch, is_shadow_present_pte)', () => {
    holds(`vm guest {
  mmu soft
  slot 0 { gpa 0  size 16M }
  slot 1 { gpa 0x80_0000_0000  size 4K }
  tables kernel at 0x1000 {
    0x40_0000 +8K  -> 0x20_0000 rw accessed dirty
    0x40_2000 +4K  -> 0x80_0000_0000 rw accessed dirty
    0x40_3000 +20K -> 0x20_3000 rw accessed dirty
  }
  vcpu { cr3 kernel }
}
run guest {
  host delete slot 1
  read 0x40_2000  expect mmio read
  host reclaim gpa 0x20_0000 +32K
  host write gpa 0x20_0000 = 1
  host write gpa 0x20_1000 = 1
  host write gpa 0x20_3000 = 1
  read 0x40_0000  expect ok
  read 0x40_1000  expect ok, exits 0
  read 0x40_3000  expect ok, exits 1
}
`);
  });

  it('a denied access invalidates its address in the current root alone (x86.c: kvm_inject_emulated_page_fault)', () => {
    const SHARED = `host { tlb off }
vm guest {
  mmu soft
  slot 0 { gpa 0  size 16M }
  tables first at 0x1000 {
    0x40_0000 +16K -> 0x20_0000 ro user accessed dirty
    0x80_0000 +64K -> 0x1000 rw accessed dirty
    table 0x40_0000 level 1 at 0x4000
    table 0x40_0000 level 2 at 0x3000
    table 0x40_0000 level 3 at 0x2000
  }
  tables second at 0x1_0000 {
    share first 0x40_0000 level 3
    0xffff_8000_0000_0000 +4K -> 0x9000 rw
  }
  vcpu { cr3 first }
}
`;
    const script = (last: string): string => `${SHARED}run guest {
  user read 0x40_0000            expect ok
  write 0x80_3008 = 0x20_1065    expect ok
  cr3 = second
  user read 0x40_1000            expect ok
  write 0x80_3008 = 0x20_1065    expect ok
  user read 0x40_0000            expect ok
  ${last}
}
`;
    const before = tracepointCount(holds(script('')), 'kvm_mmu_set_spte');
    const denied = tracepointCount(holds(script('user write 0x40_0000  expect #PF(P W U)')), 'kvm_mmu_set_spte');
    const invalidated = tracepointCount(holds(script('invlpg 0x40_0000')), 'kvm_mmu_set_spte');
    assert.deepEqual([denied - before, invalidated - before], [1, 2], 'by INVLPG in the previous root too');
  });

  it('a load that faults on a walk through a table in a read-only slot is tried once more (x86.c: retry_instruction)', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 8M }
  slot 1 { gpa 8M  size 1M  readonly }
  tables kernel at 0x80_0000 { 0x40_0000 +4K -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
run guest under npt {
  read 0x40_0100   expect ok, exits 2
  write 0x40_0100  expect ok, exits 1
}
`);
  });

  it('an emulated store of 4 bytes counts as 8 while CR4.PAE is 1 (mmu.c: mmu_pte_write_fetch_gpte)', () => {
    const GUEST = `host { kvm { prefetch off } }
vm guest {
  mmu soft
  slot 0 { gpa 0  size 16M }
  tables narrow 32-bit at 0x10_0000 { 0 +8M -> 0 rw user }
  tables wide pae at 0x20_0000 { 0 +8M -> 0 rw user }
  vcpu { paging 32-bit  cr3 narrow }
}
run guest {
  read 0x30_0000
`;
    const one = holds(`${GUEST}  write 0x10_0ff8 = 0 size 4  expect events kvm_mmu_pte_write\n}\n`);
    assert.equal(tracepointCount(one, 'kvm_mmu_prepare_zap_page'), 0);
    holds(`${GUEST}
  cr0.pg = off
  cr4.pae = on
  cr3 = wide
  cr0.pg = on
  read 0x10_0000
  write 0x10_0ff8 = 0 size 4  expect events kvm_mmu_pte_write, kvm_mmu_prepare_zap_page(gfn 0x100)
}
`);
  });

  it('MOV to CR4 and CR0 looks at the PDPTEs with nested tables too (x86.c: kvm_set_cr4, kvm_set_cr0, load_pdptrs)', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  tables flat 32-bit at 0x1000 { 0 +4M -> 0 rw user }
  vcpu { paging 32-bit  cr3 flat }
}
run guest under soft, npt, ept {
  read 0x4000     expect ok
  cr4.pae = on    expect #GP
  cr0.pg = off    expect ok
  cr4.pae = on    expect ok
  cr0.pg = on     expect #GP
}
`);
  });

  it('KVM offers no protection keys of supervisor pages, and of user pages with TDP alone (cpuid.c: kvm_set_cpu_caps)', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 { 0x40_0000 +4K -> 0x20_0000 rw key 1 }
  vcpu { cr3 kernel }
}
run guest under soft, ept, npt {
  cr4.pks = on   expect #GP
  cr4.pke = on   expect #GP under soft
                 expect ok under ept, npt
}
`);
  });

  it('a slot that overlaps is EEXIST before memory is asked for (kvm_main.c: __kvm_set_memory_region)', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  vcpu { paging none }
}
run guest {
  host create slot 1 { gpa 0xfebd_1000  size 4K }         expect ok
  host create slot 2 { gpa 0x100_0000  size 0xff00_0000 }  expect error EEXIST
}
`);
  });

  it('a part of a transparent huge page that the host drops takes the sptes of all 2M (huge_memory.c: __split_huge_pmd)', () => {
    holds(`host { kvm { prefetch off } }
vm guest {
  slot 0 { gpa 0  size 16M }
  slot 1 { gpa 16M  size 4M  pages 2M }
  tables kernel at 0x1000 { 0x100_0000 +16K -> 0x100_0000 rw user }
  vcpu { cr3 kernel }
}
run guest under soft {
  write 0x100_0000
  write 0x100_2000                expect ok, exits 1
  host reclaim gpa 0x100_0000 +4K
  read 0x100_2000                 expect ok, exits 1
}
`);
  });

  it('a transparent huge page that was dropped is read as the huge zero page, and written at the cost of two exits', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  slot 1 { gpa 16M  size 4M  pages 2M }
  tables kernel at 0x1000 { 0x100_0000 +2M -> 0x100_0000 rw user accessed dirty pages 2M }
  vcpu { cr3 kernel }
}
run guest under soft, npt {
  write 0x100_0000 = 7           expect ok
  host reclaim gpa 0x100_0000 +2M
  read 0x100_0000                expect ok, value 0
  read 0x110_0000                expect ok, exits 0
  write 0x100_0000 = 1           expect ok, exits 2
  write 0x100_0000 = 2           expect ok, exits 0
}
`);
  });

  it('pages of hugetlbfs are there for a read, and no part of one goes (madvise.c: madvise_dontneed_free_valid_vma)', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  slot 1 { gpa 16M  size 4M  pages 2M  hugetlbfs }
  tables kernel at 0x1000 { 0x100_0000 +2M -> 0x100_0000 rw user accessed dirty pages 2M }
  vcpu { cr3 kernel }
}
run guest under soft, npt {
  write 0x100_0000 = 7               expect ok
  host reclaim gpa 0x100_1000 +4K    expect error EINVAL
  host reclaim gpa 0x100_0000 +2M    expect ok
  read 0x100_0000                    expect ok, value 0
  write 0x100_0000 = 1               expect ok, exits 0
}
`);
  });

  it('an MMIO spte that a sync marked anew goes on as MMIO where a slot is by now (sync_mmio_spte, vcpu_mmio_gva_to_gpa)', () => {
    const views = holds(`vm guest {
  mmu soft
  slot 0 { gpa 0  size 4M }
  slot 2 { gpa 16M  size 4K }
  tables kernel at 0x1000 {
    0x40_0000 +4K -> 0x20_0000 rw user
    0x40_8000 +4K -> 0x100_0000 rw user
    0x60_0000 +64K -> 0 rw
  }
  vcpu { cr3 kernel }
}
run guest {
  host delete slot 2
  read 0x40_0000
  read 0x40_8000                           expect mmio read
  kernel[0x40_0000 level 1] = 0x20_0067
  host create slot 1 { gpa 0x100_0000  size 64K }
  cr3 = kernel
  read 0x40_8000                           expect mmio read
  write 0x40_8008 = 0x77                   expect mmio write
  host create slot 3 { gpa 0x200_0000  size 4K }
  read 0x40_8000                           expect ok
}
`);
    assert.ok(tracepointCount(views, 'vcpu_match_mmio') > 0);
  });
});
