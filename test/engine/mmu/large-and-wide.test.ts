/** Pages of 1G, large host pages that come and go, five levels of EPT and NPT, and guest tables that the host takes away. */
import assert from 'node:assert/strict';
import type { HostConfig, MmuKind } from '../../../server/src/engine/program';
import { Bench, BY, exitsOf, host, SETUP_E, slot, type Guest } from './machines';

const GIGABYTE = 0x4000_0000;
const vendor = (mmu: MmuKind): 'amd' | 'intel' => (mmu === 'npt' ? 'amd' : 'intel');
const hostOf = (mmu: MmuKind, more: Partial<HostConfig> = {}): HostConfig =>
  host(vendor(mmu), { prefetch: false }, { memory: 8 * GIGABYTE, ...more });
const leaf = (bench: Bench, address: bigint): { level: number; value: bigint } | null =>
  bench.machine.entry(bench.machine.rootOf(BY)!.kind, BY, address, 0);

/** A gigabyte at 1G, by one page of guest and host. */
const huge = (mmu: MmuKind, guest: Partial<Guest> = {}): Bench =>
  new Bench({
    mmu,
    host: hostOf(mmu),
    slots: [slot(0, 0, 0x1_0000), slot(1, GIGABYTE, GIGABYTE, { backing: { pageSize: GIGABYTE, populated: false } })],
    words: { 0x1000: 0x2067n, 0x2008: BigInt(GIGABYTE) | 0xe7n },
    ...guest,
  });

describe('1G pages', () => {
  it('are mapped by one entry when guest, host and slot have them', () => {
    for (const mmu of ['soft', 'ept', 'npt'] as const) {
      const bench = huge(mmu);
      assert.equal(bench.write(0x4000_0000n, 1n).result.kind, 'ok');
      assert.equal(leaf(bench, 0x4000_0000n)!.level, 3, mmu);
      assert.equal(exitsOf(bench.write(0x7fff_f000n, 1n)), 0, mmu);
      assert.deepEqual(bench.machine.brokenInvariants(), []);
    }
  });

  it('are 2M where EPT has no 1G pages', () => {
    const base = hostOf('ept');
    const bench = huge('ept', { host: { ...base, features: { ...base.features, ept1G: false } } });
    bench.write(0x4000_0000n, 1n);
    assert.equal(leaf(bench, 0x4000_0000n)!.level, 2);
  });

  it('are divided for the dirty log, and whole again behind it', () => {
    for (const mmu of ['ept', 'npt'] as const) {
      const bench = huge(mmu);
      const log = (logDirty: boolean): unknown => bench.do({ do: 'slot-flags', vm: 0, id: 1, logDirty, readonly: false, origin: 0 });
      bench.write(0x4000_0000n, 1n);
      log(true);
      assert.equal(leaf(bench, 0x4000_0000n)!.level, 1, mmu);
      bench.write(0x4020_3000n, 2n);
      const { result } = bench.do({ do: 'get-dirty-log', vm: 0, id: 1, origin: 0 });
      assert.ok(result.kind === 'dirty-log' && result.gpas.includes(0x4020_3000));
      log(false);
      bench.write(0x4000_0000n, 3n);
      assert.equal(leaf(bench, 0x4000_0000n)!.level, 3, mmu);
      assert.deepEqual(bench.machine.brokenInvariants(), []);
    }
  });

  it('soft: a table of the guest inside one is not to be written by it', () => {
    const at = 0x4010_0000;
    const words = {
      0x1000: 0x2067n,
      0x2008: BigInt(GIGABYTE) | 0xe7n,
      0x2000: 0x3067n,
      0x3000: BigInt(at) | 0x67n,
    };
    const bench = huge('soft', { words });
    bench.write(0x4000_0000n, 1n);
    assert.equal(leaf(bench, 0x4000_0000n)!.level, 3);
    bench.do({ do: 'store', by: BY, gpa: at, size: 8, value: BigInt(GIGABYTE + 0x5000) | 0x67n, origin: 0 });
    assert.equal(bench.read(0n).result.kind, 'ok');
    assert.deepEqual(bench.machine.brokenInvariants(), [], 'write-protected as a whole');
    assert.equal(exitsOf(bench.write(0x4000_0008n, 2n)), 1);
    assert.ok(leaf(bench, 0x4000_0000n)!.level < 3, 'divided by the write');
    assert.deepEqual(bench.machine.brokenInvariants(), []);
  });
});

describe('host pages that are split and collapsed', () => {
  const slots = [slot(0, 0, 0x100_0000, { backing: { pageSize: 0x20_0000, populated: true } })];

  it('leaves follow: large, small, and large again, on other frames with the same contents', () => {
    for (const mmu of ['soft', 'ept', 'npt'] as const) {
      const bench = new Bench({ mmu, host: hostOf(mmu), slots });
      const act = (what: 'split' | 'collapse'): unknown =>
        bench.do({ do: what, vm: 0, hva: slots[0].hva + 0x60_0000, size: 0x20_0000, origin: 0 });
      bench.write(0x600000n, 0x1234n);
      const frame = bench.machine.hpaOf(0, 0x600000);
      const levels = [leaf(bench, 0x600000n)!.level];
      const DIRTY = mmu === 'ept' ? 0x200n : 0x40n;
      for (const what of ['split', 'collapse'] as const) {
        act(what);
        const read = bench.read(0x600000n);
        assert.equal(read.result.kind === 'ok' && read.result.value, 0x1234n, `${mmu} ${what}`);
        levels.push(leaf(bench, 0x600000n)!.level);
        // The large leaf stands in place of a table, whose entry was writable too.
        assert.equal(leaf(bench, 0x600000n)!.value & DIRTY, DIRTY, `${mmu} ${what}: D`);
      }
      assert.deepEqual(levels, [2, 1, 2], mmu);
      assert.notEqual(bench.machine.hpaOf(0, 0x600000), frame);
    }
  });
});

describe('five levels', () => {
  it('EPT has a fifth when physical addresses are wider than 48 bits, NPT when the host has LA57', () => {
    for (const [mmu, feature, maxPhyAddr, levels] of [
      ['ept', { ept5Level: true }, 52, 5],
      ['ept', { ept5Level: true }, 46, 4],
      ['ept', { ept5Level: false }, 52, 4],
      ['npt', { la57: true }, 46, 5],
      ['npt', { la57: false }, 46, 4],
    ] as const) {
      const base = hostOf(mmu, { maxPhyAddr });
      const bench = new Bench({ mmu, host: { ...base, features: { ...base.features, ...feature } } });
      assert.equal(bench.read(0x400000n).result.kind, 'ok');
      assert.equal(bench.machine.rootOf(BY)!.level, levels, `${mmu} ${maxPhyAddr} ${JSON.stringify(feature)}`);
      // A cold 2-D walk reads one entry more for each of the guest's steps.
      assert.equal(bench.read(0x400000n).references, 5 * (levels + 1) - 1, mmu);
      assert.deepEqual(bench.machine.brokenInvariants(), []);
    }
  });
});

describe('guest tables that the host takes away', () => {
  it('soft: what was mapped by them stays, as no shadow page hears of it; invariants know', () => {
    const bench = new Bench({ mmu: 'soft', host: hostOf('soft'), slots: [slot(0, 0, 0x100_0000)], words: SETUP_E });
    bench.read(0x400000n);
    bench.do({ do: 'reclaim', vm: 0, hva: slot(0, 0, 0).hva + 0x4000, size: 0x1000, origin: 0 });
    assert.equal(bench.word(0x4000), null);
    assert.equal(exitsOf(bench.read(0x400000n)), 0);
    assert.deepEqual(bench.machine.brokenInvariants(), []);
  });
});
