import assert from 'node:assert/strict';
import { OWN } from '../../scripts/kvm-traces/cleaning';
import { factsOf } from '../../scripts/kvm-traces/lines';
import type { Mode } from '../../scripts/kvm-traces/mode';
import { changedLeaves, leavesOf } from '../../scripts/kvm-traces/leaves';
import { high, low } from '../../server/src/engine/bits';
import { emit } from '../../server/src/engine/journal/emit';
import { Kind } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import { PhysicalMemory } from '../../server/src/engine/memory/physical-memory';
import { SvmExit, VmxExit } from '../../server/src/engine/x86/exit-reasons';

class Writer {
  readonly journal = new Journal();

  /** An event with its slots as unsigned 64-bit numbers. */
  event(kind: Kind, small: number, level: number, ...slots: bigint[]): this {
    for (let i = 0; i < Math.max(slots.length, 1); i += 2) {
      const [a, b] = [slots[i] ?? 0n, slots[i + 1] ?? 0n];
      const half = (value: bigint, shift: bigint): number => Number(BigInt.asIntN(32, value >> shift));
      this.journal.row(
        i === 0 ? kind : Kind.more,
        i === 0 ? level : 0,
        i === 0 ? small : 0,
        half(a, 0n),
        half(a, 32n),
        half(b, 0n),
        half(b, 32n),
      );
    }
    return this;
  }

  facts(mode: Mode, vmx = false) {
    return factsOf(this.journal, 0, this.journal.length, { mode, own: OWN[1], vmx });
  }
}

describe('lines of recorded form', () => {
  it('name exits, with code and address where they have them', () => {
    const writer = new Writer()
      .event(Kind.kvm_exit, SvmExit.PF_EXCP, 0, 0x6n, 0x1000_0000n, 0n, 0n)
      .event(Kind.kvm_page_fault, 0, 0, 0x1000_0000n, 0x6n)
      .event(Kind.kvm_mmu_page_fault_return, 4, 0, 0x1000_0000n, 0x6n)
      .event(Kind.kvm_exit, SvmExit.WRITE_CR3, 0, 0n, 0n, 0n, 0n);
    const facts = writer.facts('npt0');
    assert.deepEqual(facts.xl, [['PF', '0x6', '0x10000000'], ['CR3']]);
    assert.deepEqual(facts.x, { PF: 1, CR3: 1 });
    assert.deepEqual(facts.ret, ['FIXED']);
  });

  it('take the address of an EPT violation from the fault that KVM handles', () => {
    const facts = new Writer()
      .event(Kind.kvm_exit, VmxExit.EPT_VIOLATION, 0, 0x181n, 0n, 0n, 0n)
      .event(Kind.kvm_page_fault, 0, 0, 0x40_0000n, 0x181n)
      .event(Kind.kvm_exit, VmxExit.EPT_MISCONFIG, 0, 0n, 0n, 0n, 0n)
      .event(Kind.kvm_exit, VmxExit.CR_ACCESS, 0, 4n, 0n, 0n, 0n)
      .facts('ept1-tdp1');
    assert.deepEqual(facts.xl, [['EPTV', '0x181', '0x400000'], ['EPTM'], ['CR4']]);
  });

  it('leave out what the interpreter does by itself, with its faults', () => {
    const facts = new Writer()
      .event(Kind.kvm_exit, SvmExit.PF_EXCP, 0, 0x10n, 0xffff_ffff_8001_0000n, 0n, 0n)
      .event(Kind.kvm_mmu_get_page, 1, 1, 0x103n, 0x701n, 0n, 0n)
      .event(Kind.kvm_mmu_get_page, 1, 2, 0x110n, 0x702n, 0n, 0n)
      .event(Kind.kvm_mmu_set_spte, 0, 1, 0x53n, 0x5_3a65n, 0n)
      .event(Kind.kvm_mmu_set_spte, 0, 1, 0x400n, 0x8000_0000_0040_0a65n, 0n)
      .event(Kind.kvm_mmu_page_fault_return, 4, 0, 0n, 0n)
      .event(Kind.kvm_inj_exception, 14, 0, 0x7n, 0n)
      .facts('npt0');
    assert.deepEqual([facts.x, facts.ret, facts.inj], [{}, [], []]);
    assert.deepEqual(facts.new, [['0x110', 2, 'wux']]);
    assert.deepEqual(facts.map, [['0x400', 1, 'r--u']]);
  });

  it('leave out nested-table pages that cover the interpreter only under nested paging', () => {
    const writer = new Writer()
      .event(Kind.kvm_mmu_get_page, 1, 2, 0n, 0x782n, 0n, 0n)
      .event(Kind.kvm_mmu_get_page, 0, 4, 0n, 0x784n, 0n, 0n);
    assert.deepEqual(writer.facts('npt1-tdp1'), { ...writer.facts('npt1-tdp1'), new: [], found: [['0x0', 4, 'wux', 'direct']] });
    assert.deepEqual(writer.facts('npt0').new, [['0x0', 2, 'wux', 'direct']]);
  });

  it('tell exits of the guest of a hypervisor that uses VMX apart; these are never the interpreter’s', () => {
    const writer = new Writer();
    const exit = { info1: 0, info2: 0, intr_info: 0, error_code: 0, rip: 0, vcpu: 0 };
    emit(writer.journal, 'kvm_exit', { ...exit, reason: VmxExit.EPT_VIOLATION, info1: 0x82, guest_mode: true });
    emit(writer.journal, 'kvm_page_fault', { vcpu: 0, address: 0x1_0000, error_code: 0x82 });
    emit(writer.journal, 'kvm_exit', { ...exit, reason: VmxExit.VMRESUME, guest_mode: false });
    assert.deepEqual(writer.facts('ept1-tdp1', true).xl, [['L2:EPTV', '0x82', '0x10000'], ['VMRESUME']]);
    assert.deepEqual(writer.facts('ept1-tdp1').xl, [['VMRESUME']]);
  });

  it('have the bits of sptes, and rights as KVM prints them: access-tracked ones have none', () => {
    const facts = new Writer()
      .event(Kind.kvm_mmu_set_spte, 0, 1, 0x400n, 0x0750_0000_0040_0870n, 0n)
      .event(Kind.kvm_mmu_set_spte, 0, 1, 0x401n, 0x0610_0000_0040_1874n, 0n)
      .facts('ept1-tdp1', true);
    assert.deepEqual(facts.map, [
      ['0x400', 1, '----'],
      ['0x401', 1, '--x-'],
    ]);
    assert.deepEqual(facts.sp[0], ['0x400', 1, '0x750000000000870']);
  });

  it('list MMIO as the VMM sees it', () => {
    const facts = new Writer()
      .event(Kind.kvm_mmio, 0, 0, 0xd000_0000n, 0n, 8n)
      .event(Kind.kvm_mmio, 1, 0, 0xd000_0000n, 0x4d4d_494f_0000_0001n, 8n)
      .event(Kind.kvm_mmio, 2, 0, 0xd000_0008n, 5n, 8n)
      .facts('npt0');
    assert.deepEqual(facts.mmio, [
      ['0xd0000000', 0, '0x4d4d494f00000001'],
      ['0xd0000008', 1, '0x5'],
    ]);
  });
});

describe('leaves of a table', () => {
  const [ROOT, L3, L2, L1] = [0x1000, 0x2000, 0x3000, 0x4000];

  function tables(words: Record<number, number>): PhysicalMemory {
    const memory = new PhysicalMemory(new Journal());
    for (const [at, word] of Object.entries(words)) memory.write(Number(at), low(word), high(word));
    return memory;
  }

  it('are found at every level, MMIO sptes are none', () => {
    const memory = tables({
      [ROOT + 8]: 0x2827,
      [ROOT]: 0x2827,
      [L3]: 0x3827,
      [L2 + 8]: 0x60_0ee7,
      [L2]: 0x4827,
      [L1 + 8]: 0x5a25,
      [L1 + 16]: 0x8_0000_d000_0000 + 0x21,
    });
    const format = {
      ept: false,
      gpaOf: (at: number) => (at === L1 + 8 ? 0x7000n : null),
      skip: (address: bigint) => address >> 39n === 1n,
    };
    const leaves = leavesOf(memory, { hpa: ROOT, level: 4 }, format);
    assert.deepEqual(
      [...leaves],
      [
        [0x1000n, ['0x7000', 0, 1, 1, 1]],
        [0x20_0000n, ['0x0', 1, 1, 1, 2]],
      ],
    );
  });

  it('are compared by what they map', () => {
    const before = new Map([
      [0x1000n, ['0x7000', 1, 1, 1, 1] as const],
      [0x2000n, ['0x8000', 1, 1, 1, 1] as const],
      [0x3000n, ['0x9000', 1, 1, 1, 1] as const],
    ]);
    const after = new Map([
      [0x1000n, ['0x7000', 0, 1, 1, 1] as const],
      [0x3000n, ['0x9000', 1, 1, 1, 1] as const],
      [0x4000n, ['0xa000', 1, 1, 1, 1] as const],
    ]);
    assert.deepEqual(changedLeaves(before, after), { '0x1000': ['0x7000', 0, 1, 1, 1], '0x2000': null, '0x4000': ['0xa000', 1, 1, 1, 1] });
  });
});
