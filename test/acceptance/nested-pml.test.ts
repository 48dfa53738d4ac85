/** Page-modification logging for an L1, which KVM offers with or without hardware that has it, and keeps by software. */
import assert from 'node:assert/strict';
import { holds, tracepoints } from './scenario';

/** L1 by script; the log is at 0x9_0000. */
const scripted = (script: string, host = ''): string => `host { memory 64M ${host} }
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
  vmcs.secondary_controls = 0x2_00a2
  vmcs.pml_address = 0x9_0000
  vmcs.pml_index = 511
${script}
}
`;

describe('PML of an L1 (vmx/nested.c: nested_vmx_write_pml_buffer)', () => {
  it('logs what becomes dirty in EPT12, tables of L2 too, since walks are writes, from the last entry down', () => {
    const views = holds(
      scripted(`  vmlaunch l2
  l2: user read 0x40_0000            expect ok
  expect vmcs.pml_index = 507
  l1: expect word 0x9_0ff8 = 0x10_0000, word 0x9_0ff0 = 0x10_1000, word 0x9_0fe8 = 0x10_2000, word 0x9_0fe0 = 0x10_3000
  l2: user write 0x40_2123           expect ok, events kvm_mmu_set_dirty_bit, nested_vmx_write_pml_buffer(0xa000)
  l1: expect word 0x9_0fd8 = 0xa000
  l2: user write 0x40_2000           expect ok, exits 0
  expect vmcs.pml_index = 506, ept12[0xa000] dirty`),
    );
    assert.ok(tracepoints(views).has('kvm_mmu_set_dirty_bit'));
  });

  it('is there without hardware that has it, and dirties the page of the log for L0', () => {
    holds(
      scripted(
        `  host flags slot 0 log_dirty
  vmlaunch l2
  l2: user write 0x40_0000           expect ok
  host get dirty log slot 0          expect dirty slot 0 [0x2_0000 .. 0x2_3000, 0x9_0000, 0x40_8000, 0x50_0000 .. 0x50_3000]`,
        'cpu { pml off }',
      ),
    );
  });

  it('ends in PML_FULL when the index is beyond the log: the flag is not set, and the access is made again', () => {
    holds(
      scripted(`  vmlaunch l2
  l2: user read 0x40_0000            expect ok
  vmcs.pml_index = 0
  vmresume l2
  l2: user write 0x40_0000           expect ok
  expect vmcs.pml_index = 0xffff
  l1: expect word 0x9_0000 = 0x8000
  l2: user write 0x40_1000           expect exit PML_FULL
  expect ept12[0x9000] not dirty
  vmcs.pml_index = 511
  vmresume l2
  l2: user write 0x40_1000           expect ok
  l1: expect word 0x9_0ff8 = 0x9000
  expect ept12[0x9000] dirty`),
    );
  });

  it('logs nothing without accessed and dirty flags in EPT12, and what has no memory for its log is lost', () => {
    holds(
      scripted(`  vmcs.eptp = 0x2_001e
  vmlaunch l2
  l2: user write 0x40_0000           expect ok
  expect vmcs.pml_index = 511`),
    );
    holds(
      scripted(`  vmcs.pml_address = 0x8000_0000
  vmlaunch l2
  l2: user write 0x40_0000           expect ok
  expect vmcs.pml_index = 511, ept12[0x8000] dirty`),
    );
  });

  it('is what a KVM as L1 logs by: it clears dirty flags, and drains the log at exits of L2', () => {
    const scenario = (host: string): string => `host { memory 64M ${host} }
vm l1 {
  mmu ept
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
  vcpu { cr3 kernel }
  vm l2 {
    mmu ept
    slot 0 { gpa 0  size 4M  hva 0x40_0000 }
    tables process at 0x1000 { 0x40_0000 +64K -> 0x8000  rw user accessed dirty }
    vcpu { cr3 process }
  }
}
run l2 {
  user write 0x40_0000 x 16 step 4K     expect ok
  user write 0x40_0000 x 16 step 4K     expect ok, exits 0
  l2: host flags slot 0 log_dirty       expect ok
  user write 0x40_1000                  expect ok, events nested_vmx_write_pml_buffer(0x9000)
  user read 0x40_2000                   expect ok
  check invariants
  l2: host get dirty log slot 0         expect dirty slot 0 [0x1000 .. 0x4000, 0x9000]
  user write 0x40_3000                  expect ok
  l2: host get dirty log slot 0         expect dirty slot 0 [0x1000 .. 0x4000, 0xb000]
  l2: host flags slot 0 none            expect ok
  user write 0x40_4000                  expect ok
  check invariants
}
`;
    for (const host of ['', 'cpu { pml off }']) holds(scenario(host));
  });

  it('… and PML_FULL when L2 writes more than the log has room for', () => {
    holds(`host { memory 64M  pages 4K }
vm l1 {
  mmu ept
  slot 0 { gpa 0  size 16M }
  vcpu { paging none }
  vm l2 {
    mmu ept
    slot 0 { gpa 0  size 4M  hva 0x40_0000  log_dirty }
    tables process at 0x1000 { 0x40_0000 +3M -> 0x10_0000  rw user accessed dirty }
    vcpu { cr3 process }
  }
}
run l2 {
  user read 0x40_0000 x 600 step 4K     expect ok
  l2: host get dirty log slot 0         expect ok
  user write 0x40_0000 x 600 step 4K    expect ok, events kvm_nested_vmexit_inject(PML_FULL), kvm_pml_full
  check invariants
  l2: host get dirty log slot 0         expect dirty slot 0 [0x1000 .. 0x5000, 0x10_0000 +600 * 4K]
}
`);
  });
});
