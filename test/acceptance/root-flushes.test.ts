/** What KVM flushes for a vCPU when it loads a root or a guest asks for it (x86.c: kvm_vcpu_flush_tlb_*; vmx.c, svm.c: *_flush_tlb_*). */
import assert from 'node:assert/strict';
import { holds } from './scenario';

const MACHINE = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables first at 0x1000 { 0x40_0000 +16K -> 0x20_0000 rw user accessed dirty }
  tables second at 0x1_0000 { 0x40_0000 +16K -> 0x21_0000 rw user accessed dirty }
  vcpu { cr3 first }
}
`;

/** Flushes of one line, as the words of the journal. */
function flushes(kind: string, statements: readonly string[], at: number): string[] {
  const [view] = holds(`${MACHINE}run guest under ${kind} {\n  ${statements.join('\n  ')}\n  read 0x40_0000   expect ok\n}\n`);
  const line = MACHINE.split('\n').length + at;
  return view.steps
    .rows(0, view.steps.length)
    .filter((row) => row.line === line && /flush/.test(row.event))
    .map(({ actor, event, text }) => `${actor} ${event} ${text}`);
}

describe('flushes of a root', () => {
  const FIRST = ['read 0x40_0000'];
  it('are one context of INVEPT, VPID or ASID', () => {
    assert.deepEqual(flushes('ept', FIRST, 0), ['L0 kvm_x86_flush_tlb current', 'L0 tlb_flush one EPT context']);
    assert.deepEqual(flushes('soft', FIRST, 0), ['L0 kvm_x86_flush_tlb current', 'L0 tlb_flush everything']);
    assert.deepEqual(flushes('npt', FIRST, 0), ['L0 kvm_x86_flush_tlb current', 'L0 tlb_flush everything']);
  });

  it('come once with a CR3 whose root is there already', () => {
    const loads = ['read 0x40_0000', 'cr3 = second', 'read 0x40_0000', 'cr3 = first'];
    assert.deepEqual(flushes('soft', loads, 3), ['L0 kvm_x86_flush_tlb current', 'L0 tlb_flush everything']);
    assert.deepEqual(flushes('ept', loads, 3), ['processor tlb_flush non-global pages']);
  });

  it("are the guest's with INVPCID of all contexts", () => {
    assert.deepEqual(flushes('soft', ['read 0x40_0000', 'invpcid all'], 1), ['L0 kvm_x86_flush_tlb guest', 'L0 tlb_flush everything']);
    assert.deepEqual(flushes('ept', ['read 0x40_0000', 'invpcid all'], 1), ['processor tlb_flush everything']);
  });
});
