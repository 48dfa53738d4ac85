/** A guest's own CPUID: KVM's walks and register loads go by it, the processor does not (cpuid.c: kvm_vcpu_after_set_cpuid). */
import assert from 'node:assert/strict';
import { openScript } from '../../server/src/api/language';
import { ftrace, runScript } from '../../server/src/api/engine';
import { translate } from '../../server/src/views/way/way';
import { holds } from './scenario';

const guest = (cpuid: string, script: string, vcpu = '', host = ''): string => `host { maxphyaddr 46  ${host} }
vm guest {
  cpuid { ${cpuid} }
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 {
    0x40_0000 +4K -> 0x20_0000  rw user
    entry 0x50_0000 level 1 = 0x80_0030_0007
    entry 0x4000_0000 level 3 = 0x87
  }
  vcpu { cr3 kernel  ${vcpu} }
}
run guest under soft, ept, npt {
  ${script}
}
`;

function problemsOf(scenario: string): string[] {
  return openScript(scenario, 'file:///cpuid.mmu', { read: () => null }).problems.map(({ code, message }) => `${code}: ${message}`);
}

describe('CPUID of a guest', () => {
  it("narrows physical addresses for KVM's walker, not for the processor", () => {
    holds(
      guest(
        'maxphyaddr 36',
        `user read 0x40_0000  expect ok
  user read 0x50_0000  expect #PF(P U RSVD) under soft  expect mmio under ept, npt`,
      ),
    );
  });

  it('hides 1-GByte pages under soft MMU only: with TDP KVM does as the processor', () => {
    holds(guest('page1g off', 'read 0x4020_0000  expect #PF(P RSVD) under soft  expect ok, gpa 0x20_0000 under ept, npt'));
    holds(guest('page1g on', 'read 0x4020_0000  expect ok, gpa 0x20_0000'));
  });

  it('makes bits of CR4 and EFER reserved', () => {
    const hidden = 'smep off  smap off  pku off  nx off';
    const script = ['smep', 'smap', 'pke'].map((bit) => `cr4.${bit} = on  expect #GP`);
    holds(guest(hidden, [...script, 'efer.nxe = on  expect #GP'].join('\n  ')));
    holds(guest('smep on', 'cr4.smep = on  expect ok'));
    holds(guest('pcid off', 'cr4.pcide = on  expect #GP'));
  });

  it('counts for MOV CR3 where it exits', () => {
    holds(guest('maxphyaddr 36', 'cr3 = 0x10_0000_0000  expect #GP under soft  expect ok under ept, npt'));
  });

  it('says nothing new when it says what the processor has', () => {
    const script = 'user read 0x40_0000  expect ok\n  user write 0x40_0000 = 1\n  cr4.smep = on\n  read 0x4020_0000';
    const runs = (cpuid: string): string[] => [...ftrace(holds(guest(cpuid, script)))];
    assert.deepEqual(runs('maxphyaddr 46  nx on  page1g on'), runs(''));
  });

  it("is that of the VM around for a VM inside, and KVM walks L1's EPT by it", () => {
    holds(`host { maxphyaddr 46  memory 64M }
vm l1 {
  cpuid { maxphyaddr 36 }
  mmu ept
  hypervisor script
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
  tables ept12 ept at 0x2_0000 {
    0 +2M -> 0x40_0000
    entry 0x20_0000 level 2 = 0x80_0040_00b7
  }
  vcpu { cr3 kernel }
  vm l2 {
    mmu ept
    root ept12
    slot 0 { gpa 0  size 2M  hva 0x40_0000 }
    tables process at 0x10_0000 { 0x40_0000 +4K -> 0x8000 rw user  0x50_0000 +4K -> 0x20_0000 rw user }
    vcpu { cr3 process }
  }
}
run l1 {
  vmlaunch l2
  l2: user read 0x40_0000   expect ok
  l2: user read 0x50_0000   expect exit EPT_MISCONFIG
}
`);
  });

  it('shows nothing that the processor has not', () => {
    assert.deepEqual(problemsOf(guest('la57 on', 'read 0x40_0000')), [
      'feature-conflict: the processor has no la57 to show (cpu { la57 off })',
    ]);
    assert.match(problemsOf(guest('maxphyaddr 50', 'read 0x40_0000'))[0], /^out-of-range: the processor's physical addresses have 46 bits/);
  });

  it('decides what a vCPU can begin with', () => {
    assert.deepEqual(problemsOf(guest('smep off', 'read 0x40_0000', 'cr4.smep on')), [
      'register-refused: #GP(0): the guest has no smep (cpu or cpuid { smep off })',
    ]);
  });

  it('is what views walk with, as KVM does', () => {
    const views = runScript(openScript(guest('maxphyaddr 36', 'user read 0x50_0000'), 'file:///cpuid.mmu', { read: () => null }), {});
    const ends = views.map((view) => {
      const { outcome } = translate(view, { position: view.record.length, vm: 0, vcpu: 0 }, 0x50_0000n, 'gva');
      return JSON.stringify(outcome).includes('MAXPHYADDR (36)');
    });
    assert.deepEqual(ends, [true, false, false]);
  });
});

describe('protection keys that KVM does not offer', () => {
  const scenario = (vcpu: string, kinds: string): string =>
    `vm guest { slot 0 { gpa 0 size 16M }  tables t at 0x1000 { 0 +4K -> 0 rw }  vcpu { cr3 t  ${vcpu} } }\nrun guest under ${kinds} { read 0 }\n`;

  it('are refused at the start as the statement is', () => {
    const soft = 'register-refused: EINVAL: CR4.PKE stays 0: KVM offers protection keys with EPT or NPT only, not under soft MMU';
    assert.deepEqual(problemsOf(scenario('cr4.pke on', 'soft, ept')), [soft]);
    assert.deepEqual(problemsOf(scenario('cr4.pke on', 'ept, npt')), []);
    assert.deepEqual(problemsOf(scenario('cr4.pks on', 'ept, npt')), [
      'register-refused: EINVAL: CR4.PKS stays 0: KVM offers guests no protection keys of supervisor pages',
    ]);
  });
});

describe('allow_smaller_maxphyaddr', () => {
  const run = (script: string, kvm = 'kvm { allow_smaller_maxphyaddr on }'): unknown => holds(guest('maxphyaddr 36', script, '', kvm));

  it('makes a reserved-bit fault of an address that the guest has not', () => {
    run(`user read 0x50_0000  expect #PF(P U RSVD) under soft, ept  expect mmio under npt
  user read 0x50_0000  expect exits 1 of EPT_VIOLATION under ept`);
  });

  it('finds the reserved bit behind a right that is missing', () => {
    const script = (code: string): string => `kernel[0x50_0000] = 0x80_0030_0005
  user write 0x50_0000  expect #PF(${code}) under ept  expect exits ${code.includes('RSVD') ? '1 of EXCEPTION_NMI' : '0 of EXCEPTION_NMI'} under ept`;
    run(script('P W U RSVD'));
    run(script('P W U'), '');
  });

  it('costs an exit for a fault that is the guest’s own, and leaves it', () => {
    run(`user write 0x40_0000  expect ok
  kernel[0x40_0000] = 0x20_0065
  invlpg 0x40_0000
  user write 0x40_0000  expect #PF(P W U)  expect exits 1 of EXCEPTION_NMI under ept  expect exits 0 under npt
  user read 0x60_0000   expect #PF(U)      expect exits 0 under ept, npt`);
  });
});
