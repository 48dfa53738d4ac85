/** What KVM's trace says of an L1's VM entries: where L1 stands, and what it intercepts (vmx/nested.c, svm/nested.c). */
import assert from 'node:assert/strict';
import { ftrace } from '../../server/src/export/ftrace';
import { holds } from './scenario';

const machine = (vendor: 'intel' | 'amd', mmu: 'ept' | 'npt', l2: string, kernel: string): string => `host {
  cpu { vendor ${vendor} }
  kvm { kernel ${kernel} }
}
vm l1 {
  mmu ${mmu}
  hypervisor script
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x8_0000 { 0 +16M -> 0 rw }
  tables spt12 at 0x2_0000 { 0x40_0000 +32K -> 0x40_8000 rw user accessed dirty }
  tables ept12 ept at 0x3_0000 { 0 +2M -> 0x40_0000 }
  tables npt12 npt at 0x4_0000 { 0 +2M -> 0x40_0000 user accessed dirty }
  vcpu { cr3 kernel }
  vm l2 {
    ${l2}
    slot 0 { gpa 0  size 2M  hva 0x40_0000 }
    tables process at 0x10_0000 { 0x40_0000 +32K -> 0x8000 rw user accessed dirty }
    vcpu { cr3 process }
  }
}
`;
const EPT = 'mmu ept  root ept12';
const NPT = 'mmu npt  root npt12';
const SOFT = 'mmu soft  root spt12';

/** Texts of one tracepoint in the trace of a scenario. */
function said(name: string, scenario: string): string[] {
  return [...ftrace(holds(scenario))].flatMap((line) => new RegExp(`\\d: ${name}: (.*)$`).exec(line)?.[1] ?? []);
}

/** RIPs that a tracepoint prints. */
const rips = (texts: readonly string[]): number[] => texts.map((text) => Number(/rip:? 0x([0-9a-f]+)/.exec(text)![1].replace(/^0*/, '0x')));

for (const kernel of ['6.1', '6.12'] as const) {
  describe(`VM entries of an L1 in the trace of ${kernel}`, () => {
    it('SVM: L1 stands behind its VMRUN, and goes on there', () => {
      const scenario = `${machine('amd', 'npt', NPT, kernel)}run l1 {\n  vmrun l2\n  l2: cpuid  expect exit cpuid\n}\n`;
      const views = said('kvm_nested_vmenter', scenario);
      const [vmrun] = rips(said('kvm_exit', scenario).filter((text) => text.includes('reason vmrun')));
      assert.deepEqual(rips(views), [vmrun + 3]);
      const after = [...ftrace(holds(scenario))].join('\n').split('kvm_nested_vmexit_inject')[1];
      assert.deepEqual(rips([/kvm_entry: .*/.exec(after)![0]]), [vmrun + 3]);
    });

    it('VMX: L1 stands at its VMLAUNCH, and goes on at VMCS.HOST_RIP', () => {
      const scenario = `${machine('intel', 'ept', EPT, kernel)}run l1 {\n  vmlaunch l2\n  l2: cpuid  expect exit CPUID\n}\n`;
      const [vmlaunch] = rips(said('kvm_exit', scenario).filter((text) => text.includes('reason VMLAUNCH')));
      assert.deepEqual(rips(said('kvm_nested_vmenter', scenario)), [vmlaunch]);
      const after = [...ftrace(holds(scenario))].join('\n').split('kvm_nested_vmexit_inject')[1];
      assert.deepEqual(rips([/kvm_entry: .*/.exec(after)![0]]), [0xff00_0000]);
      assert.deepEqual(said('kvm_nested_intercepts', scenario), []);
    });

    it('SVM: the intercepts of the VMCB follow, those of a KVM with the same kind of MMU', () => {
      const of = (l2: string, more = ''): string[] =>
        said(
          'kvm_nested_intercepts',
          `${machine('amd', 'npt', l2, kernel)}run l1 {\n  vmrun l2\n${more}  l2: user read 0x40_0000  expect ok\n}\n`,
        );
      assert.deepEqual(of(NPT), ['cr_read: 0010 cr_write: 0110 excp: 00060042 intercepts: bdcc8027 00006e43 00000000']);
      assert.deepEqual(of(SOFT), ['cr_read: 0018 cr_write: 0118 excp: 00064042 intercepts: bfcc8027 00006e4f 00000004']);
    });

    it('SVM: exceptions are those that the script has written into the VMCB', () => {
      const acts = '  vmcb.intercept_exceptions = 1 << 14\n  vmrun l2\n  l2: cpuid  expect exit cpuid\n';
      const [masks] = said('kvm_nested_intercepts', `${machine('amd', 'npt', NPT, kernel)}run l1 {\n${acts}}\n`);
      assert.ok(masks.includes(' excp: 00004000 '), masks);
    });

    it('an entry that is refused leaves L1 behind its instruction', () => {
      for (const [vendor, l2, acts] of [
        ['amd', NPT, '  vmcb.asid = 0\n  vmrun l2  expect exit invalid\n'],
        ['intel', EPT, '  vmresume l2  expect error VMfailValid\n'],
      ] as const) {
        const lines = [...ftrace(holds(`${machine(vendor, vendor === 'amd' ? 'npt' : 'ept', l2, kernel)}run l1 {\n${acts}}\n`))];
        const at = lines.findIndex((line) => line.includes('kvm_nested_vmenter_failed'));
        const [exit] = rips(lines.slice(0, at).filter((line) => line.includes('kvm_exit')).slice(-1)); // prettier-ignore
        const [entry] = rips(lines.slice(at).filter((line) => line.includes('kvm_entry')));
        assert.equal(entry, exit + 3, vendor);
      }
    });

    it('SVM: moves of CR0 are intercepted as long as hardware has another one than the guest believes', () => {
      const own = machine('amd', 'npt', SOFT, kernel).replace('vcpu { cr3 process }', 'vcpu { cr3 process  cr0.wp off }');
      const [masks] = said('kvm_nested_intercepts', `${own}run l1 {\n  vmrun l2\n  l2: cpuid  expect exit cpuid\n}\n`);
      assert.ok(masks.startsWith('cr_read: 0019 cr_write: 0119 '), masks);
    });
  });
}
