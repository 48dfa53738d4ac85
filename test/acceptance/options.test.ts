/**
 * Each option of KVM's cleverness, on and off: with it off the trace is the textbook's account (mmu-semantics.md §5, §6; the deck, §11).
 */
import assert from 'node:assert/strict';
import { holds, tracepointCount, tracepoints } from './scenario';

/** A guest whose kernel has a window to its tables at 0x8000_0000: the page table of 0x40_0000 is at 0x4000, its directory at 0x3000. */
const guest = (kvm: string, more = ''): string => `host { tlb off  ${more}  kvm { ${kvm} } }
vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 {
    0x40_0000 +64K    -> 0x20_0000  rw user accessed dirty
    0x8000_0000 +64K  -> 0x1000     rw accessed dirty
    table 0x40_0000 level 3 at 0x2000
    table 0x40_0000 level 2 at 0x3000
    table 0x40_0000 level 1 at 0x4000
  }
  tables other at 0x1_0000 { 0x40_0000 +64K -> 0x21_0000 rw user accessed dirty }
  vcpu { cr3 kernel }
}
`;

const run = (kvm: string, under: string, script: string, more = ''): ReturnType<typeof holds> =>
  holds(`${guest(kvm, more)}run guest under ${under} {\n${script}\n}\n`);

describe('prefetch', () => {
  it('on: a fault brings the neighbours in its group of eight', () => {
    run(
      '',
      'soft',
      `
      user read 0x40_0000  expect exits 1, shadow[0x40_7000] present, shadow[0x40_8000] absent
      user read 0x40_7000  expect exits 0
      user read 0x40_8000  expect exits 1`,
    );
    run(
      'tdp_mmu off',
      'npt',
      `
      user read 0x40_0000  expect tdp[0x20_7000] present, tdp[0x20_8000] absent
      user read 0x40_7000  expect exits 0`,
    );
  });

  it('off: each page pays for its first touch', () => {
    run(
      'prefetch off',
      'soft',
      `
      user read 0x40_0000  expect exits 1, shadow[0x40_1000] absent
      user read 0x40_1000 x 15 step 4K  expect exits 15`,
    );
    run('prefetch off  tdp_mmu off', 'npt', 'user read 0x40_0000  expect tdp[0x20_1000] absent'); // prettier-ignore
  });
});

describe('unsync', () => {
  it('on: the first store to a page table frees all later ones', () => {
    run(
      'prefetch off',
      'soft',
      `
      user read 0x40_0000          expect page 0x4000 synced, page 0x4000 write_protected
      write 0x8000_3000 = 0x20_8067  expect exits 1, page 0x4000 unsync, events kvm_mmu_unsync_page(gfn 4)
      write 0x8000_3008 = 0x20_9067  expect exits 0
      user read 0x40_0000          expect exits 0, gpa 0x20_0000
      invlpg 0x40_0000
      user read 0x40_0000          expect gpa 0x20_8000`,
    );
  });

  it('off: every store to a page table is emulated and takes its shadow entry away', () => {
    const views = run(
      'prefetch off  unsync off',
      'soft',
      `
      user read 0x40_0000          expect page 0x4000 write_protected
      write 0x8000_3000 = 0x20_8067  expect exits 1, page 0x4000 write_protected, shadow[0x40_0000] absent
                                   expect events kvm_emulate_insn, kvm_mmu_pte_write(gpa 0x4000)
      write 0x8000_3008 = 0x20_9067  expect exits 1
      write 0x8000_3010 = 0x20_a067  expect exits 1
      write 0x8000_3018 = 0x20_b067  expect exits 1
      user read 0x40_0000          expect exits 1, gpa 0x20_8000
      check invariants`,
    );
    assert.ok(!tracepoints(views).has('kvm_mmu_unsync_page'));
  });
});

describe('large_pages', () => {
  const LARGE = `vm guest {
  slot 0 { gpa 0  size 16M  pages 2M }
  tables kernel at 0x1000 { 0x40_0000 +2M -> 0x20_0000 rw user pages 2M accessed dirty }
  vcpu { cr3 kernel }
}
`;
  it('on: one entry of 2M where guest, slot and host have 2M', () => {
    holds(`${LARGE}run under soft, ept, npt {
      user write 0x40_0000   expect ok
      expect shadow[0x40_0000] large under soft
      expect tdp[0x20_0000] large under ept, npt
      user write 0x41_0000   expect exits 0
    }`);
  });

  it('off: entries of 4K only', () => {
    holds(`host { kvm { large_pages off  prefetch off } }\n${LARGE}run under soft, ept, npt {
      user write 0x40_0000   expect ok
      expect shadow[0x40_0000] not large under soft
      expect tdp[0x20_0000] not large under ept, npt
      user write 0x41_0000   expect exits 1
    }`);
  });
});

describe('fast_page_fault', () => {
  const script = `
    user write 0x40_0000   expect ok
    host flags slot 0 log_dirty
    user write 0x40_0000   expect exits 5, dirty slot 0 [0x1000 +16K, 0x20_0000]`;

  it('on: write protection of the dirty log is lifted without the lock', () => {
    const trace = tracepoints(run('pml off', 'ept, npt', `${script}\n expect events fast_page_fault, kvm_entry`));
    assert.ok(trace.has('fast_page_fault'));
  });

  it('off: by the whole fault path', () => {
    const trace = tracepoints(
      run('pml off  fast_page_fault off', 'ept, npt', `${script}\n expect events kvm_page_fault, kvm_mmu_set_spte, kvm_entry`),
    );
    assert.ok(!trace.has('fast_page_fault'));
  });
});

describe('cached_roots', () => {
  const script = (back: string): string => `
    user read 0x40_0000   expect gpa 0x20_0000
    cr3 = other           expect exits 1, events kvm_mmu_get_page(new)
    user read 0x40_0000   expect gpa 0x21_0000
    cr3 = kernel          expect exits 1, events ${back}
    user read 0x40_0000   expect exits 0, gpa 0x20_0000`;

  it('3: the old root is at hand', () => {
    run('', 'soft', script('kvm_cr, kvm_load_root, kvm_entry'));
    const roots = tracepointCount(run('', 'soft', 'cr3 = other\n cr3 = kernel expect exits 1'), 'kvm_mmu_get_page');
    assert.equal(roots, 2, 'no third look-up');
  });

  it('0: it is looked up in the hash of all shadow pages, with what is below it', () => {
    run('cached_roots 0', 'soft', script('kvm_mmu_get_page(existing)'));
  });

  it('1: the one before the last is gone', () => {
    run(
      'cached_roots 1',
      'soft',
      `
      cr3 = other
      cr3 = kernel           expect events kvm_cr, kvm_load_root
      cr3 = other            expect events kvm_cr, kvm_load_root`,
    );
  });
});

describe('flooding', () => {
  const stores = (n: number): string => `
    user read 0x40_0000   expect page 0x3000 tracked
    write 0x8000_2018 = 0 x ${n} step 8   expect exits ${n}`;

  it('3: the third store with no use in between costs the shadow page its life', () => {
    run('prefetch off', 'soft', `${stores(2)}\n expect page 0x3000 tracked`);
    run('prefetch off', 'soft', `${stores(3)}\n expect page 0x3000 not tracked, events kvm_mmu_prepare_zap_page(gfn 3)`);
  });

  it('1: the first one', () => {
    run('prefetch off  flooding 1', 'soft', `${stores(1)}\n expect page 0x3000 not tracked`);
  });

  it('0: never; every store is emulated', () => {
    const trace = tracepoints(run('prefetch off  flooding 0', 'soft', `${stores(20)}\n expect page 0x3000 tracked`));
    assert.ok(!trace.has('kvm_mmu_prepare_zap_page'));
  });
});

describe('tdp_mmu', () => {
  it('on and off: two ways of keeping the same tables', () => {
    const script = 'user write 0x40_0000   expect ok, tdp[0x20_0000] rw';
    assert.ok(tracepoints(run('', 'ept, npt', script)).has('kvm_tdp_mmu_spte_changed'));
    const older = tracepoints(run('tdp_mmu off', 'ept, npt', script));
    assert.ok(!older.has('kvm_tdp_mmu_spte_changed') && older.has('kvm_mmu_set_spte'));
  });
});

describe('pml', () => {
  const script = (exits: number, event: string): string => `
    user write 0x40_0000   expect ok
    host flags slot 0 log_dirty
    user write 0x40_0000   expect exits ${exits}, events ${event}
    host get dirty log slot 0   expect dirty slot 0 [0x1000 +16K, 0x20_0000]
    user write 0x40_0000   expect exits ${exits}`;

  it('on: the processor logs, without an exit', () => {
    run('', 'ept', script(0, 'pml_log'));
  });
  it('off: write protection, an exit a page', () => {
    run('pml off', 'ept', script(5, 'kvm_exit(EPT_VIOLATION)'));
  });
  it('NPT has none', () => {
    run('', 'npt', script(5, 'kvm_exit(npf)'));
  });
});

describe('ept_ad', () => {
  it('off: walks of the guest only read its tables, so they stay clean', () => {
    const script = (pages: string, exits: number): string => `
      user write 0x40_0000   expect ok
      host flags slot 0 log_dirty
      user write 0x40_0000   expect exits ${exits}, dirty slot 0 [${pages}]`;
    run('pml off', 'ept', script('0x1000 +16K, 0x20_0000', 5));
    run('ept_ad off', 'ept', script('0x20_0000', 1));
  });
});

describe('nr_mmu_pages', () => {
  const scenario = (kvm: string): string => `host { kvm { ${kvm} prefetch off } }
vm guest {
  slot 0 { gpa 0  size 64M }
  tables kernel at 0x1000 { for i in 0 .. 99 { 1G + i * 2M +4K -> 0x100_0000 + i * 4K rw user } }
  vcpu { cr3 kernel }
}
run guest under soft {
  for i in 0 .. 99 { user read 1G + i * 2M   expect ok, exits 1 }
  check invariants
}
`;
  it('0: KVM’s own limit, here enough', () => {
    assert.ok(!tracepoints(holds(scenario('nr_mmu_pages 0'))).has('kvm_mmu_prepare_zap_page'));
  });

  it('64: the oldest pages go when fewer than 5 are left, until 25 are', () => {
    const views = holds(scenario('nr_mmu_pages 64'));
    assert.ok(tracepoints(views).has('kvm_mmu_prepare_zap_page'));
  });
});

describe('dirty_log_initially_set', () => {
  const script = (first: string): string => `
    user write 0x40_0000        expect ok
    host flags slot 0 log_dirty
    user write 0x40_0000        expect ok
    host get dirty log slot 0   expect dirty slot 0 [${first}]`;

  it('off: the log begins empty', () => {
    run('', 'soft', script('0x20_0000'));
  });
  it('on: full, and pages are protected when the log is cleared', () => {
    run(
      'dirty_log_initially_set on',
      'soft',
      `${script('0 +16M')}
      host clear dirty log slot 0
      host get dirty log slot 0   expect dirty slot 0 []
      user write 0x40_0000        expect ok, exits 1
      host get dirty log slot 0   expect dirty slot 0 [0x20_0000]
      host get dirty log slot 0   expect dirty slot 0 [0x20_0000]`,
    );
  });
});

describe('kernel', () => {
  it('6.1 has empty entries of 0, 6.12 of bit 63', () => {
    const script = (empty: string): string => `user read 0x40_0000 expect shadow[0x50_0000] = ${empty}`;
    run('kernel 6.1', 'soft', script('0'));
    run('kernel 6.12', 'soft', script('1 << 63'));
  });
});

describe('slot_zap_all', () => {
  const script = (exits: number): string => `
    host create slot 1 { gpa 0x100_0000 size 1M }
    user read 0x40_0000   expect ok
    host delete slot 1
    user read 0x40_0000   expect ok, exits ${exits}`;

  it('on: a slot that goes takes everything with it; off, it leaves what it does not map, where the kernel can do that', () => {
    for (const kind of ['soft', 'npt'] as const) {
      run('kernel 6.12', kind, script(kind === 'soft' ? 1 : 5));
      run('kernel 6.12  slot_zap_all off', kind, script(0));
    }
  });
});

describe('decode_assists', () => {
  it('on: exits of MOV CR3 and INVLPG say their operands; off, KVM emulates the instruction; on Intel they always do', () => {
    const script = `cr3 = other  user read 0x40_0000 expect ok  invlpg 0x40_0000`;
    const emulated = (assists: string): number => {
      const found = run('', 'soft', script, `cpu { vendor amd  decode_assists ${assists} }`);
      return tracepointCount(found, 'kvm_emulate_insn');
    };
    assert.deepEqual([emulated('on'), emulated('off')], [0, 2]);
    const intel = run('', 'soft', script, 'cpu { decode_assists off }');
    assert.equal(tracepointCount(intel, 'kvm_emulate_insn'), 0);
  });
});
