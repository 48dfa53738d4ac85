/** CPUID, VMCALL and VMMCALL: exits under every kind of MMU, and L1's when its guest executes them (nested_vmx_l1_wants_exit). */
import assert from 'node:assert/strict';
import { analyze } from '../../server/src/language/analysis';
import { holds } from './scenario';

const GUEST = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 { 0x40_0000 +64K -> 0x20_0000 rw user }
  vcpu { cr3 kernel }
}
`;
const nested = (hypervisor: string): string => `vm l1 {
  hypervisor ${hypervisor}
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0xffff_8880_0000_0000 +16M -> 0 rw }
  tables ept12 ept at 0x10_0000 { 0 +4M -> 0x40_0000 }
  vcpu { cr3 kernel }
  vm l2 {
    ${hypervisor === 'script' ? 'root ept12' : ''}
    slot 0 { gpa 0  size 4M  hva 0x40_0000 }
    tables process at 0x1000 { 0x40_0000 +16K -> 0x8000 rw user }
    vcpu { cr3 process }
  }
}
`;

describe('cpuid, vmcall, vmmcall', () => {
  it('exit under every kind of MMU', () => {
    holds(`${GUEST}run guest under soft, ept, npt {
      cpuid  expect ok, exits 1
             expect events kvm_exit(CPUID), kvm_entry under soft, ept
             expect events kvm_exit(cpuid), kvm_entry under npt
      under soft, ept { vmcall   expect ok, exits 1 of VMCALL }
      under npt { vmmcall  expect ok, exits 1 of hypercall }
    }`);
  });

  it('of a guest of a guest go on to L1, whose KVM enters it again', () => {
    holds(`${nested('kvm')}run l2 under soft on soft, soft on ept, ept on ept {
      user read 0x40_0000  expect ok
      cpuid                expect exits 1 of CPUID from l2, exits 1 of VMRESUME
      vmcall               expect exits 1 of VMCALL from l2, exits 1 of VMRESUME
    }`);
  });

  it('end in an exit for an L1 that the script plays', () => {
    holds(`${nested('script')}run l2 under ept on ept {
      l1: vmlaunch  expect ok
      cpuid         expect exit CPUID
      l1: vmresume  expect ok
      vmcall        expect exit VMCALL
    }`);
  });

  it('are of their vendor, and names where something is done to them', () => {
    const problems = (text: string): string[] => {
      const analysis = analyze(text, 'file:///a.mmu', { read: () => null });
      return [...analysis.problems, ...analysis.lower().problems].map(({ code, message }) => `${code}: ${message}`);
    };
    const script = (under: string, body: string): string => `${GUEST}run guest under ${under} { ${body} }`;
    assert.deepEqual(problems(script('ept', 'vmmcall')), ["other-vendor: vmmcall is AMD's; an Intel processor has vmcall"]);
    assert.deepEqual(problems(script('npt', 'vmcall')), ["other-vendor: vmcall is Intel's; an AMD processor has vmmcall"]);
    assert.deepEqual(problems(`${script('ept', 'cpuid()')} block cpuid() { user read 0x40_0000 }`), []);
    assert.deepEqual(problems(script('ept', 'word: user read 0x40_0000').replaceAll('guest', 'word')), []);
  });
});
