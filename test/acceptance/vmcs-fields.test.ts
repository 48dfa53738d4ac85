/** Fields of a VMCS or VMCB that an L1 by script writes: what they make of its guest's instructions, and what VM entry says to them. */
import assert from 'node:assert/strict';
import { ftrace } from '../../server/src/export/ftrace';
import { holds } from './scenario';

interface Parts {
  readonly host?: string;
  /** Kind of MMU of L1, and of L2. */
  readonly mmu?: readonly [string, string];
  /** Where L2's tables of L1 are, and the tables. */
  readonly root?: string;
  readonly tables?: string;
}

const EPT12 = 'ept12 ept at 0x2_0000 { 0 +2M -> 0x40_0000 }';
const SPT12 = 'spt12 at 0x2_0000 { 0x40_0000 +32K -> 0x40_8000 ro user accessed dirty }';

function nested(script: string, { host = '', mmu = ['ept', 'ept'], root = 'ept12', tables = EPT12 }: Parts = {}): string {
  return `host { memory 64M ${host} }
vm l1 {
  mmu ${mmu[0]}
  hypervisor script
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
  tables ${tables}
  vcpu { cr3 kernel }
  vm l2 {
    mmu ${mmu[1]}
    root ${root}
    slot 0 { gpa 0  size 2M  hva 0x40_0000 }
    tables process at 0x10_0000 { 0x40_0000 +32K -> 0x8000 ro user accessed dirty  0x60_0000 +4K -> 0x9000 rw user }
    vcpu { cr3 process }
  }
}
run l1 {
${script}
}
`;
}

const SOFT: Parts = { mmu: ['ept', 'soft'], root: 'spt12', tables: SPT12 };
const NPT: Parts = { mmu: ['npt', 'npt'], root: 'npt12', tables: 'npt12 npt at 0x2_0000 { 0 +2M -> 0x40_0000 }' };

/** Messages of kvm_nested_vmenter_failed, in their order. */
function failedChecks(scenario: string): string[] {
  return [...ftrace(holds(scenario))].flatMap((line) => /kvm_nested_vmenter_failed: (.*)$/.exec(line)?.[1] ?? []);
}

describe('exceptions and instructions of L2 that L1 intercepts', () => {
  it('#PF under EPT by the exception bitmap (vmx/nested.c: nested_vmx_is_page_fault_vmexit)', () => {
    const views = holds(
      nested(`  vmlaunch l2
  l2: user write 0x40_0000   expect #PF(P W U)
  vmcs.exception_bitmap = 1 << 14
  l2: user write 0x40_0000   expect error EAGAIN
  vmresume l2
  l2: user read 0x40_0000    expect ok
  l2: user write 0x40_0000   expect exit #PF, exits 1
  vmresume l2
  l2: user read 0x50_0000    expect exit EXCEPTION_NMI`),
    );
    const [fault] = [...ftrace(views)].filter((line) => line.includes('kvm_nested_vmexit_inject: reason: EXCEPTION_NMI'));
    assert.match(fault, /ext_inf1: 0x0000000000400000 .* ext_int: 0x80000b0e ext_int_err: 0x00000007/);
  });

  it('… as mask and match of error codes say, which also turn the bitmap round', () => {
    holds(
      nested(`  vmcs.exception_bitmap = 1 << 14
  vmcs.pfec_mask = 1
  vmcs.pfec_match = 1
  vmlaunch l2
  l2: user read 0x50_0000    expect #PF(U)
  l2: user write 0x40_0000   expect exit #PF
  vmcs.exception_bitmap = 0
  vmresume l2
  l2: user write 0x40_0000   expect #PF(P W U)
  l2: user read 0x50_0000    expect exit #PF`),
    );
  });

  it('#PF that L1 with shadow tables does not want goes to L2, above a hard and above a soft MMU', () => {
    for (const below of ['ept', 'soft']) {
      const parts: Parts = { ...SOFT, mmu: [below, 'soft'] };
      holds(
        nested(
          `  vmcs.exception_bitmap = 0
  vmlaunch l2
  l2: user read 0x40_0000    expect ok
  l2: user write 0x40_0000   expect #PF(P W U)`,
          parts,
        ),
      );
    }
  });

  it('#PF under NPT by the intercepts of the VMCB', () => {
    holds(
      nested(
        `  vmcb.intercept_exceptions = 1 << 14
  vmrun l2
  l2: user read 0x40_0000    expect ok
  l2: user write 0x40_0000   expect exit #PF`,
        NPT,
      ),
    );
  });

  it('INVLPG and MOV CR3 under EPT by the primary controls', () => {
    holds(
      nested(`  vmlaunch l2
  l2: invlpg 0x40_0000       expect ok, exits 0
  l2: mov from cr3           expect ok, exits 0
  vmcs.primary_controls = 0x8401_e172 | 1 << 9
  vmresume l2
  l2: invlpg 0x40_0000       expect exit INVLPG
  vmresume l2
  l2: cr3 = process          expect exit CR_ACCESS
  vmresume l2
  l2: mov from cr3           expect exit CR_ACCESS`),
    );
  });
});

describe('VMWRITE', () => {
  it('exits, unless the field is shadowed (vmx/vmcs_shadow_fields.h)', () => {
    const script = (shadowed: number): string => `  vmcs.eptp = ept12                  expect exits 1 of VMWRITE
  vmcs.secondary_controls = 0x2_00a2 expect exits 1
  vmcs.exception_bitmap = 0          expect exits ${shadowed}
  vmcs.cr3 = 0x10_0000               expect exits ${shadowed}
  vmcs.pml_index = 511               expect exits ${shadowed}
  vmcs.pml_address = 0x9_0000        expect exits 1
  vmlaunch l2                        expect ok
  expect vmcs.pml_index = 511, vmcs.secondary_controls = 0x2_00a2, vmcs.link_pointer = -1`;
    holds(nested(script(0)));
    holds(nested(script(1), { host: 'cpu { vmcs_shadowing off }' }));
  });

  it('of guest CR0 and CR4: L2 runs with them', () => {
    holds(
      nested(`  vmcs.cr0 = 0x8000_0033                 // WP is off
  vmlaunch l2                            expect ok
  l2: supervisor write 0x40_0000         expect ok
  l2: expect cr0.wp = off
  vmcs.cr0 = 0x8001_0033
  vmcs.cr4 = 0x10_2020                   // SMEP
  vmresume l2
  l2: supervisor write 0x40_0000         expect #PF(P W)
  l2: supervisor fetch 0x40_0000         expect #PF(P I)`),
    );
  });

  it('… in place of what a KVM with shadow tables would run it with', () => {
    holds(
      nested(
        `  vmlaunch l2
  l2: supervisor write 0x40_0000         expect exit #PF
  vmcs.cr0 = 0x8000_0033
  vmresume l2                            expect ok
  l2: supervisor write 0x40_0000         expect ok`,
        SOFT,
      ),
    );
  });

  it('of the control for EPT: without it L2 runs on L1’s memory as it is', () => {
    holds(
      nested(`  vmlaunch l2
  l2: user read 0x40_0000                expect ok
  vmcs.secondary_controls = 0x20
  vmcs.cr3 = 0x50_0000                   // in L2's memory all the same
  word 0x50_0000 = 0x50_1027
  word 0x50_1000 = 0x50_2027
  word 0x50_2010 = 0x50_3027
  word 0x50_3000 = 0x40_8025
  word 0x40_8000 = 7
  vmresume l2                            expect ok
  l2: user read 0x40_0000                expect ok, value 7`),
    );
  });
});

describe('VM entries that KVM refuses', () => {
  const entry = (field: string, value: string, outcome: string): string =>
    nested(`  vmcs.${field} = ${value}\n  vmlaunch l2   expect ${outcome}`);
  const FAIL = 'error VMfailValid';
  const EXIT = 'exit INVALID_STATE';

  it('by the controls: VMfail, with the checks that fail (vmx/nested.c: nested_vmx_check_controls)', () => {
    const eptp = '!nested_vmx_check_eptp(vcpu, vmcs12->ept_pointer)';
    assert.deepEqual(failedChecks(entry('eptp', '0x2_001c', FAIL)), [eptp]);
    assert.deepEqual(failedChecks(entry('eptp', '0x2_0018', FAIL)), ['!(vmx->nested.msrs.ept_caps & VMX_EPTP_UC_BIT)', eptp]);
    assert.deepEqual(failedChecks(entry('eptp', '0x2_0016', FAIL)), [eptp]);
    assert.deepEqual(failedChecks(entry('eptp', '0x4_0000_0002_001e', FAIL)), [
      'kvm_vcpu_is_illegal_gpa(vcpu, new_eptp) || ((new_eptp >> 7) & 0x1f)',
      eptp,
    ]);
    assert.deepEqual(failedChecks(entry('vpid', '0', FAIL)), ['nested_cpu_has_vpid(vmcs12) && !vmcs12->virtual_processor_id']);
    for (const field of ['pin_controls', 'primary_controls', 'exit_controls', 'entry_controls'])
      assert.match(failedChecks(entry(field, '0', FAIL))[0], /^!vmx_control_verify\(/);
    assert.match(failedChecks(entry('secondary_controls', '0x8000_00a2', FAIL))[0], /secondary_vm_exec_control/);
    assert.deepEqual(failedChecks(entry('secondary_controls', '0x2_0020', FAIL)), ['!nested_cpu_has_ept(vmcs12)']);
    assert.deepEqual(failedChecks(entry('secondary_controls', '0xa0', FAIL)), [
      'nested_cpu_has2(vmcs12, SECONDARY_EXEC_UNRESTRICTED_GUEST) && !nested_cpu_has_ept(vmcs12)',
    ]);
    assert.match(failedChecks(entry('exit_controls', '0x3_6dfb', FAIL))[0], /HOST_ADDR_SPACE_SIZE/);
  });

  it('… PML needs a page, and accessed and dirty flags of the host', () => {
    const pml = (host: string): string =>
      nested(`  vmcs.secondary_controls = 0x2_00a2\n  vmcs.pml_address = 0x123\n  vmlaunch l2   expect ${FAIL}`, { host });
    assert.deepEqual(failedChecks(pml('')), ['!page_address_valid(vcpu, vmcs12->pml_address)']);
    assert.match(failedChecks(pml('cpu { ept_ad off }'))[0], /secondary_vm_exec_control/);
  });

  it('by guest state: an exit at once (nested_vmx_check_guest_state)', () => {
    assert.deepEqual(failedChecks(entry('cr0', '0x8000_0011', EXIT)), ['!nested_guest_cr0_valid(vcpu, vmcs12->guest_cr0)']);
    assert.deepEqual(failedChecks(entry('cr0', '0x8000_0020', EXIT)), ['(vmcs12->guest_cr0 & (X86_CR0_PG | X86_CR0_PE)) == X86_CR0_PG']);
    assert.deepEqual(failedChecks(entry('cr0', '0x21', EXIT)), ['ia32e && !(vmcs12->guest_cr0 & X86_CR0_PG)']);
    assert.deepEqual(failedChecks(entry('cr4', '0x20', EXIT)), ['!nested_guest_cr4_valid(vcpu, vmcs12->guest_cr4)']);
    assert.deepEqual(failedChecks(entry('cr4', '0x2000', EXIT)), ['ia32e && !(vmcs12->guest_cr4 & X86_CR4_PAE)']);
    assert.deepEqual(failedChecks(entry('efer', '0x900', EXIT)), [
      '((vmcs12->guest_cr0 & X86_CR0_PG) && ia32e != !!(vmcs12->guest_ia32_efer & EFER_LME))',
    ]);
    const lma = nested(`  vmcs.entry_controls = 0x93fb\n  vmcs.efer = 0x900\n  vmlaunch l2   expect ${EXIT}`);
    assert.deepEqual(failedChecks(lma), ['ia32e != !!(vmcs12->guest_ia32_efer & EFER_LMA)']);
    assert.deepEqual(failedChecks(entry('efer', '0x1d00', EXIT)), ['!kvm_valid_efer(vcpu, vmcs12->guest_ia32_efer)']);
    assert.deepEqual(failedChecks(entry('link_pointer', '0x9_0000', EXIT)), ['hdr.revision_id != VMCS12_REVISION']);
    assert.deepEqual(failedChecks(entry('link_pointer', '0x9_0001', EXIT)), ['!page_address_valid(vcpu, vmcs12->vmcs_link_pointer)']);
    assert.match(failedChecks(entry('link_pointer', '0x8000_0000', EXIT))[0], /^kvm_gfn_to_hva_cache_init/);
  });

  it('… after which L1 goes on, and L2 can be entered when it is right', () => {
    holds(
      nested(`  vmcs.cr0 = 0x30
  vmlaunch l2                            expect exit INVALID_STATE
  l2: user read 0x40_0000                expect error EAGAIN
  read 0xffff_8880_0010_0000             expect ok
  vmcs.cr0 = 0x8001_0033
  vmlaunch l2                            expect ok
  l2: user read 0x40_0000                expect ok`),
    );
  });

  it('of a VMCS that is launched already, or not yet', () => {
    assert.deepEqual(failedChecks(nested('  vmresume l2  expect error VMfailValid\n  vmlaunch l2  expect ok')), [
      'vmcs12->launch_state == launch',
    ]);
    holds(nested('  vmlaunch l2  expect ok\n  word 0x9_0000 = 1\n  vmlaunch l2  expect error VMfailValid\n  vmresume l2  expect ok'));
  });

  it('of a VMCB: VMEXIT_INVALID (svm/nested.c: nested_vmcb_check_save, nested_vmcb_check_controls)', () => {
    const run = (field: string, value: string): string => nested(`  vmcb.${field} = ${value}\n  vmrun l2  expect exit invalid`, NPT);
    assert.deepEqual(failedChecks(run('asid', '0')), ['control->asid == 0']);
    assert.deepEqual(failedChecks(run('efer', '0xd00')), ['!(save->efer & EFER_SVME)']);
    assert.deepEqual(failedChecks(run('efer', '0x2_1d00')), ['!kvm_valid_efer(vcpu, save->efer)']);
    assert.deepEqual(failedChecks(run('cr0', '0xa000_0033')), ['(save->cr0 & X86_CR0_CD) == 0 && (save->cr0 & X86_CR0_NW)']);
    assert.deepEqual(failedChecks(run('cr0', '0x1_8000_0033')), ['save->cr0 & ~0xffffffffULL']);
    assert.deepEqual(failedChecks(run('cr4', '0')), ['!(save->cr4 & X86_CR4_PAE)']);
    assert.deepEqual(failedChecks(run('cr0', '0x8000_0032')), ['!(save->cr0 & X86_CR0_PE)']);
    assert.deepEqual(failedChecks(run('cr3', '1 << 50')), ['kvm_vcpu_is_illegal_gpa(vcpu, save->cr3)']);
    assert.deepEqual(failedChecks(run('cr4', '0x8000_0020')), ['!__kvm_is_valid_cr4(vcpu, save->cr4)']);
    assert.match(failedChecks(run('ncr3', '1 << 50'))[0], /nested_cr3/);
  });

  it('… with shadow tables: what they cannot do without is refused as such', () => {
    holds(nested('  vmcs.primary_controls = 0x8400_6172\n  vmlaunch l2  expect error EOPNOTSUPP', SOFT));
    holds(nested('  vmcs.secondary_controls = 0x22\n  vmlaunch l2  expect error EOPNOTSUPP', SOFT));
  });
});

describe('INVEPT and INVVPID that KVM refuses', () => {
  it('a type that the processor does not have, an EPTP that is not valid, VPID 0, an address that is not canonical: VMfail', () => {
    holds(
      nested(`  vmlaunch l2
  l2: user read 0x40_0000                expect ok
  invept type 3                          expect error VMfailValid
  invept ept12 type 0                    expect error VMfailValid
  invept 0x2_001c                        expect error VMfailValid
  invept 1 << 50 | 0x1e                  expect error VMfailValid
  invept ept12                           expect ok
  invept all                             expect ok
  invvpid vpid 1 type 4                  expect error VMfailValid
  invvpid type 2                         expect ok
  invvpid 0x8000_0000_0000 vpid 1        expect error VMfailValid
  invvpid 0x40_0000 vpid 1               expect ok`),
    );
  });

  it('… and what fails invalidates nothing', () => {
    holds(
      nested(`  vmlaunch l2
  l2: user read 0x40_0000                expect ok
  invept 0x2_001c                        expect error VMfailValid
  vmresume l2
  l2: user read 0x40_0000                expect ok, exits 0
  invept ept12                           expect ok
  vmresume l2                            expect events kvm_mmu_get_page
  l2: user read 0x40_0000                expect ok`),
    );
  });
});
