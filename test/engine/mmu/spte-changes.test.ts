/** Entries of hypervisors' tables are changed, and translations flushed, only where that changes something. */
import { strict as assert } from 'node:assert';
import type { KvmOptions, MmuKind } from '../../../server/src/engine/program';
import { eventAt } from '../../../server/src/events/fields';
import { Bench, BY, SETUP_E, host, slot, type Guest } from './machines';

const M2 = 0x20_0000;
const bench = (mmu: MmuKind, kvm: Partial<KvmOptions> = {}, more: Partial<Guest> = {}): Bench =>
  new Bench({ mmu, host: host(mmu === 'npt' ? 'amd' : 'intel', { prefetch: false, ...kvm }), ...more });

/** Names of the events of what is done. */
function eventsIn({ journal }: Bench, what: () => void): string[] {
  const from = journal.length;
  what();
  const names: string[] = [];
  for (let row = from; row < journal.length; row++) names.push(eventAt(journal, row)?.name ?? '');
  return names;
}
const spte = ({ machine }: Bench, address: bigint, level = 1): bigint => machine.entry('shadow', BY, address, level)?.value ?? 0n;

describe('a large page of the TDP MMU', () => {
  const large = [slot(0, 0, 8 * M2, { backing: { pageSize: M2, populated: true } })];

  it('that is mapped where nothing was needs no flush; one in place of a table does', () => {
    const machine = bench('ept', {}, { slots: large });
    assert.ok(!eventsIn(machine, () => machine.read(0x40_0000n)).includes('kvm_flush_remote_tlbs'));
    assert.notEqual(machine.machine.entry('tdp', BY, 0n, 2)?.value ?? 0n, 0n);
    const logging = (logDirty: boolean): void => void machine.do({ do: 'slot-flags', vm: 0, id: 0, logDirty, readonly: false, origin: 0 });
    logging(true);
    machine.write(0x40_0000n, 1n);
    assert.ok(eventsIn(machine, () => (logging(false), machine.write(0x40_0000n, 2n))).includes('kvm_flush_remote_tlbs'));
  });
});

describe('the end of dirty logging', () => {
  for (const [what, mmu, kvm] of [
    ['soft', 'soft', {}],
    ['ept without the TDP MMU', 'ept', { tdpMmu: false }],
    ['the TDP MMU', 'ept', {}],
  ] as const) {
    it(`leaves mappings that cannot be larger: ${what}`, () => {
      const machine = bench(mmu, kvm);
      machine.do({ do: 'slot-flags', vm: 0, id: 0, logDirty: true, readonly: false, origin: 0 });
      machine.read(0x40_0000n);
      const before = mmu === 'soft' ? spte(machine, 0x40_0000n) : machine.machine.entry('tdp', BY, 0x5000n, 1)?.value;
      machine.do({ do: 'slot-flags', vm: 0, id: 0, logDirty: false, readonly: false, origin: 0 });
      assert.ok(before);
      assert.equal(mmu === 'soft' ? spte(machine, 0x40_0000n) : machine.machine.entry('tdp', BY, 0x5000n, 1)?.value, before);
    });
  }
});

describe('write protection for a table that becomes shadowed', () => {
  for (const [what, entry, protects] of [
    ['takes the right of a mapping that has it', 0x6007n, true],
    ['is nothing to one that can only be read', 0x6005n, false],
  ] as const) {
    it(what, () => {
      const machine = bench('soft', {}, { words: { ...SETUP_E, 0x4008: entry, 0x3020: 0x6007n, 0x6000: 0x7007n } });
      if (protects) machine.write(0x40_1010n, 0n);
      else machine.read(0x40_1000n);
      assert.equal(eventsIn(machine, () => machine.read(0x80_0000n)).includes('rmap_write_protect'), protects);
    });
  }
});

describe('a guest page of 1G that holds a table of its own way', () => {
  for (const [kernel, table, page, level] of [
    ['6.1', 0x1000, 0x87n, 1],
    ['6.1', 0x4000_0000, 0x4000_0087n, 1],
    ['6.1', 0x1000, 0x4000_0087n, 2],
    ['6.12', 0x4000_0000, 0x4000_0087n, 2],
  ] as const) {
    it(`is mapped small from the start before 6.12: ${kernel}, table at ${table.toString(16)}, page ${page.toString(16)}`, () => {
      const backing = { pageSize: M2, populated: true };
      const slots = [slot(0, 0, 8 * M2, { backing }), slot(1, 0x4000_0000, 8 * M2, { backing })];
      // The root is another one of the page's tables where that lies low.
      const root = table + 0x1000;
      const words = { [root]: BigInt(table) | 7n, [table]: page };
      const machine = bench('soft', { kernel }, { slots, words, vcpu: { cr3: BigInt(root) } });
      machine.write(0x60_5000n, 1n);
      assert.equal(machine.machine.entry('shadow', BY, 0x60_5000n, 0)?.level, level);
    });
  }
});
