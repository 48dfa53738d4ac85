/** Shadow pages against what they mirror: an unsync one may have what its table had since it went out of sync. */
import assert from 'node:assert/strict';
import { Journal } from '../../../../server/src/engine/journal/journal';
import { Machine } from '../../../../server/src/engine/machine';
import type { Act, VmConfig } from '../../../../server/src/engine/program';
import { Bench, SETUP_E, SLOTS_E, VCPU, access, host, slot } from '../machines';

const vm = (name: string): VmConfig => ({
  name,
  parent: null,
  mmu: 'soft',
  hypervisor: 'kvm',
  slots: SLOTS_E,
  memory: Object.entries(SETUP_E).map(([gpa, word]) => ({ gpa: Number(gpa), words: BigUint64Array.of(word) })),
  vcpus: [VCPU],
});

const by = (which: number): { readonly vm: number; readonly vcpu: number } => ({ vm: which, vcpu: 0 });
const read = (which: number): Act => ({ ...access('read', 0x40_0000n, true, null), by: by(which) }) as Act;
/** Without INVLPG: the table goes out of sync, and the leaf stays as it was. */
const edit = (which: number, value: bigint): Act => ({ do: 'store', by: by(which), gpa: 0x4000, size: 8, value, origin: 0 });

describe('invariants of an unsync shadow page (S6)', () => {
  const machine = (): Machine =>
    new Machine({ host: host('intel'), vms: [vm('a'), vm('b')] }, new Journal(), { steps: 1e6, events: 4e6, memory: 256 << 20 });

  it('hold as long as its table once had what is mapped', () => {
    const both = machine();
    for (const act of [read(0), edit(0, 0x7067n), edit(0, 0n)]) both.perform(act);
    assert.deepEqual(both.brokenInvariants(), []);
  });

  it('are those of this page: another VM has one of the same frame and role', () => {
    const both = machine();
    for (const act of [read(0), edit(0, 0n), read(1), edit(1, 0n)]) both.perform(act);
    assert.deepEqual(both.brokenInvariants(), []);
  });

  it('are broken by what its table had before that alone', () => {
    const both = machine();
    const flush: Act = { do: 'register', by: by(0), register: 'cr3', value: 0x1000n, origin: 0 };
    // The page could be written until the flush, which brought the table into step.
    for (const act of [read(0), edit(0, 0x7067n), edit(0, 0x7065n), flush, read(0), edit(0, 0n)]) both.perform(act);
    assert.deepEqual(both.brokenInvariants(), []);
    const table = both.shadowPages(0).find(({ level, unsync }) => level === 1 && unsync)!;
    const at = table.entryAddress(0);
    both.physical.write(at, both.physical.low(at) | 2, both.physical.high(at));
    assert.ok(
      both.brokenInvariants().some((each) => each.startsWith('S6: ')),
      both.brokenInvariants().join('\n'),
    );
  });
});

describe('invariants of large pages of 32-bit paging (S1)', () => {
  for (const gib of [0, 4, 8, 36, 508]) {
    it(`hold for a page of 4M at ${gib} GiB`, () => {
      const gpa = gib * 2 ** 30 + 0x40_0000;
      // The entry of linear 4M stands in the upper half of the root's first word; bits 39:32 of its address in bits 20:13.
      const entry = BigInt(0x40_0087 | ((gib / 4) << 13)) << 32n;
      const bench = new Bench({
        mmu: 'soft',
        slots: [slot(0, 0, 0x10_0000), slot(1, gpa, 0x40_0000, { hva: 0x7f80_0000_0000 })],
        words: { 0x1000: entry },
        vcpu: { paging: '32-bit', cr4: { ...VCPU.cr4, pse: true } },
      });
      for (const address of [0x40_0008n, 0x60_0008n]) {
        const { result } = bench.write(address, 1n);
        assert.equal(result.kind === 'ok' && result.gpa, gpa + Number(address) - 0x40_0000);
      }
      assert.deepEqual(bench.machine.brokenInvariants(), []);
    });
  }
});
