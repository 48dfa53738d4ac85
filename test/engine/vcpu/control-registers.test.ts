import assert from 'node:assert/strict';
import { Journal } from '../../../server/src/engine/journal/journal';
import { State } from '../../../server/src/engine/journal/state';
import { Space, SPACES } from '../../../server/src/engine/journal/spaces';
import { PhysicalMemory } from '../../../server/src/engine/memory/physical-memory';
import type { Features, PagingMode, VcpuConfig } from '../../../server/src/engine/program';
import {
  Cr0,
  Cr4,
  Efer,
  Load,
  keysOf,
  loadCr0,
  loadCr3,
  loadCr4,
  loadEfer,
  pagingModeOf,
  pcidOf,
  policyOf,
  resetRegisters,
  type LoadRules,
} from '../../../server/src/engine/vcpu/control-registers';
import { Bank, Register, Registers } from '../../../server/src/engine/vcpu/registers';
import { Keys, Policy } from '../../../server/src/engine/x86/permissions';
import { FEATURES } from '../x86/subject';

const GP = Load.generalProtection;

class Bench {
  readonly journal = new Journal();
  readonly memory = new PhysicalMemory(this.journal);
  readonly registers = new Registers(this.journal, 3);
  readonly rules: LoadRules;

  constructor(paging: PagingMode, cr4: Partial<VcpuConfig['cr4']> = {}, features: Partial<Features> = {}, maxPhyAddr = 40) {
    this.rules = {
      features: { ...FEATURES, ...features },
      maxPhyAddr,
      amd: false,
      memory: this.memory,
      stage: null,
      pdptesInMemory: false,
    };
    resetRegisters(this.registers, {
      name: 'cpu',
      paging,
      cr3: 0x1000n,
      cr0: { wp: true },
      cr4: { pse: false, pge: false, pcide: false, smep: false, smap: false, pke: false, pks: false, ...cr4 },
      efer: { nxe: true },
      eflagsAc: false,
      pkru: 0,
      pkrs: 0,
      cpl: 0,
    });
  }

  /** Load with bits set and cleared; the effects. */
  cr0(set: number, clear = 0): number {
    return loadCr0(this.registers, this.rules, (this.registers.lo(Register.cr0) | set) & ~clear, 0);
  }
  cr4(set: number, clear = 0): number {
    return loadCr4(this.registers, this.rules, (this.registers.lo(Register.cr4) | set) & ~clear, 0);
  }
  efer(set: number, clear = 0): number {
    return loadEfer(this.registers, this.rules, (this.registers.lo(Register.efer) | set) & ~clear, 0);
  }
  cr3(lo: number, hi = 0): number {
    return loadCr3(this.registers, this.rules, lo, hi);
  }
}

describe('loads of control registers', () => {
  for (const mode of ['none', '32-bit', 'pae', '4-level', '5-level'] as const) {
    it(`${mode}: registers at the start select it`, () => assert.equal(pagingModeOf(new Bench(mode).registers), mode));
  }

  describe('are refused with #GP, and change nothing (SDM vol. 3 "Control registers"; mmu-semantics.md §2.1, §2.11)', () => {
    const cases: [string, Bench, (bench: Bench) => number][] = [
      ['CR0.PG without PE', new Bench('none'), (b) => loadCr0(b.registers, b.rules, Cr0.pg, 0)],
      ['CR0.NW without CD', new Bench('4-level'), (b) => b.cr0(Cr0.nw)],
      ['CR0 above bit 31', new Bench('4-level'), (b) => loadCr0(b.registers, b.rules, b.registers.lo(Register.cr0), 1)],
      ['CR0.PG cleared with PCIDE', new Bench('4-level', { pcide: true }), (b) => b.cr0(0, Cr0.pg)],
      ['CR4.PAE cleared in long mode', new Bench('4-level'), (b) => b.cr4(0, Cr4.pae)],
      ['CR4.LA57 set in long mode', new Bench('4-level'), (b) => b.cr4(Cr4.la57)],
      ['CR4.LA57 cleared in long mode', new Bench('5-level'), (b) => b.cr4(0, Cr4.la57)],
      ['CR4.PCIDE outside long mode', new Bench('pae'), (b) => b.cr4(Cr4.pcide)],
      ['CR4.SMEP that the processor has not', new Bench('4-level', {}, { smep: false }), (b) => b.cr4(Cr4.smep)],
      ['CR4.LA57 that the processor has not', new Bench('none', {}, { la57: false }), (b) => b.cr4(Cr4.la57)],
      ['CR4 bit 15', new Bench('4-level'), (b) => b.cr4(1 << 15)],
      ['CR4 above bit 31', new Bench('4-level'), (b) => loadCr4(b.registers, b.rules, b.registers.lo(Register.cr4), 1)],
      ['CR3 above MAXPHYADDR', new Bench('4-level'), (b) => b.cr3(0x1000, 1 << 8)],
      ['CR3 bit 63 without PCIDE', new Bench('4-level'), (b) => b.cr3(0x1000, 1 << 31)],
      ['CR3 bits 62:61', new Bench('4-level', { pcide: true }), (b) => b.cr3(0x1000, 1 << 29)],
      ['EFER.LME changed while paging', new Bench('4-level'), (b) => b.efer(0, Efer.lme)],
      ['EFER.NXE that the processor has not', new Bench('none', {}, { nx: false }), (b) => b.efer(Efer.nxe)],
      ['EFER.SVME on Intel', new Bench('4-level'), (b) => b.efer(Efer.svme)],
      ['EFER bit 9', new Bench('4-level'), (b) => b.efer(1 << 9)],
    ];
    for (const [name, bench, load] of cases) {
      it(name, () => {
        const before = [Register.cr0, Register.cr3, Register.cr4, Register.efer].map((register) => bench.registers.value(register));
        assert.equal(load(bench), GP);
        assert.deepEqual(
          [Register.cr0, Register.cr3, Register.cr4, Register.efer].map((register) => bench.registers.value(register)),
          before,
        );
      });
    }

    it('PCIDE with CR3[11:0] not 0', () => {
      const bench = new Bench('4-level');
      assert.equal(bench.cr3(0x1018) & GP, 0);
      assert.equal(bench.cr4(Cr4.pcide), GP);
      assert.equal(bench.cr3(0x1000) & GP, 0);
      assert.equal(bench.cr4(Cr4.pcide) & GP, 0);
    });

    it('long mode entered without PAE', () => {
      const bench = new Bench('none');
      assert.equal(bench.efer(Efer.lme) & GP, 0);
      assert.equal(bench.cr0(Cr0.pg), GP);
      assert.equal(bench.cr4(Cr4.pae) & GP, 0);
      assert.equal(bench.cr0(Cr0.pg) & GP, 0);
      assert.equal(pagingModeOf(bench.registers), '4-level');
    });
  });

  describe('invalidate (mmu-semantics.md §2.10)', () => {
    const flush = Load.flushAll | Load.flushPcid | Load.flushNonGlobal;
    const cases: [string, Bench, (bench: Bench) => number, number][] = [
      ['MOV CR3: non-global', new Bench('4-level'), (b) => b.cr3(0x2000), Load.flushNonGlobal],
      ['MOV CR3 with PCIDE: of the new PCID', new Bench('4-level', { pcide: true }), (b) => b.cr3(0x2005), Load.flushNonGlobal],
      ['MOV CR3 with bit 63: nothing', new Bench('4-level', { pcide: true }), (b) => b.cr3(0x2005, 1 << 31), 0],
      ['CR4.PGE set: all', new Bench('4-level'), (b) => b.cr4(Cr4.pge), Load.flushAll],
      ['CR4.PGE cleared: all', new Bench('4-level', { pge: true }), (b) => b.cr4(0, Cr4.pge), Load.flushAll],
      ['CR4.PCIDE cleared: all', new Bench('4-level', { pcide: true }), (b) => b.cr4(0, Cr4.pcide), Load.flushAll],
      ['CR4.PCIDE set: nothing', new Bench('4-level'), (b) => b.cr4(Cr4.pcide), 0],
      ['CR4.SMEP set: the PCID', new Bench('4-level'), (b) => b.cr4(Cr4.smep), Load.flushPcid],
      ['CR4.SMEP cleared: nothing', new Bench('4-level', { smep: true }), (b) => b.cr4(0, Cr4.smep), 0],
      ['CR4.PAE: the PCID', new Bench('32-bit'), (b) => b.cr4(Cr4.pae), Load.flushPcid],
      ['CR4.SMAP, PKE: nothing', new Bench('4-level'), (b) => b.cr4(Cr4.smap | Cr4.pke), 0],
      ['CR0.PG cleared: all', new Bench('4-level'), (b) => b.cr0(0, Cr0.pg), Load.flushAll],
      ['CR0.WP: nothing', new Bench('4-level'), (b) => b.cr0(0, Cr0.wp), 0],
      ['EFER.NXE: nothing', new Bench('4-level'), (b) => b.efer(0, Efer.nxe), 0],
    ];
    for (const [name, bench, load, wanted] of cases) {
      it(name, () => {
        const effects = load(bench);
        assert.equal(effects & (GP | Load.below), 0);
        assert.equal(effects & flush, wanted);
      });
    }
  });

  it('MOV CR3 does not keep bit 63', () => {
    const bench = new Bench('4-level', { pcide: true });
    bench.cr3(0x2005, 1 << 31);
    assert.equal(bench.registers.value(Register.cr3), 0x2005n);
    assert.equal(pcidOf(bench.registers), 5);
  });

  it('EFER.LMA follows CR0.PG and cannot be written', () => {
    const bench = new Bench('4-level');
    assert.equal(bench.efer(0, Efer.lma) & GP, 0);
    assert.notEqual(bench.registers.lo(Register.efer) & Efer.lma, 0);
    bench.cr0(0, Cr0.pg);
    assert.equal(bench.registers.lo(Register.efer) & Efer.lma, 0);
  });

  describe('load PDPTEs under PAE paging (mmu-semantics.md §2.11)', () => {
    const pdptes = (bench: Bench): bigint[] => [0, 1, 2, 3].map((i) => bench.registers.value(Register.pdpte0 + i));

    it('with MOV CR3, and keep them until the next load', () => {
      const bench = new Bench('pae');
      bench.memory.write(0x2020, 0x3001, 0);
      bench.memory.write(0x2038, 0x5019, 0);
      assert.equal(bench.cr3(0x2020) & GP, 0);
      assert.deepEqual(pdptes(bench), [0x3001n, 0n, 0n, 0x5019n]);
      bench.memory.write(0x2020, 0x7001, 0);
      assert.deepEqual(pdptes(bench), [0x3001n, 0n, 0n, 0x5019n]);
      bench.cr4(Cr4.pge);
      assert.deepEqual(pdptes(bench), [0x7001n, 0n, 0n, 0x5019n]);
    });

    for (const [name, entry] of [
      ['bit 1', 0x3003n],
      ['bit 5', 0x3021n],
      ['bit 8', 0x3101n],
      ['an address bit above MAXPHYADDR', 0x100_0000_3001n],
      ['bit 63', 0x8000_0000_0000_3001n],
    ] as const) {
      it(`refuse ${name} in a present one, and change none`, () => {
        const bench = new Bench('pae');
        bench.memory.write(0x2020, 0x3001, 0);
        bench.cr3(0x2020);
        bench.memory.write(0x4000, 0x6001, 0);
        bench.memory.write(0x4018, Number(entry & 0xffff_ffffn), Number(entry >> 32n));
        assert.equal(bench.cr3(0x4000), GP);
        assert.deepEqual(pdptes(bench), [0x3001n, 0n, 0n, 0n]);
        assert.equal(bench.registers.value(Register.cr3), 0x2020n);
        bench.memory.write(0x4018, Number(entry & 0xffff_fffen), Number(entry >> 32n));
        assert.equal(bench.cr3(0x4000) & GP, 0, 'bits of an entry that is not present do not matter');
      });
    }

    it('with changes of CR0 and CR4 that matter, and not with others', () => {
      const loads = (change: (bench: Bench) => number): boolean => {
        const bench = new Bench('pae');
        bench.memory.write(0x1000, 0x3001, 0);
        assert.equal(change(bench) & GP, 0);
        return pdptes(bench)[0] !== 0n;
      };
      assert.ok(loads((b) => b.cr0(Cr0.cd)));
      assert.ok(loads((b) => b.cr4(Cr4.pse)));
      assert.ok(loads((b) => b.cr4(Cr4.smep)));
      assert.ok(!loads((b) => b.cr0(0, Cr0.wp)));
      assert.ok(!loads((b) => b.cr4(Cr4.smap)));
    });

    it('not on AMD with nested paging, which reads them in the walk', () => {
      const bench = new Bench('pae');
      bench.memory.write(0x2020, 0x3003, 0);
      assert.equal(loadCr3(bench.registers, { ...bench.rules, amd: true, pdptesInMemory: true }, 0x2020, 0) & GP, 0);
    });
  });

  describe('tell of a load before its first register is set, when nothing is refused', () => {
    const changed = (registers: Registers): bigint[] =>
      [Register.cr0, Register.cr3, Register.cr4, Register.efer, Register.pdpte0].map((each) => registers.value(each));
    const told = (mode: PagingMode, load: (registers: Registers, rules: LoadRules) => number): { told: number; refused: boolean } => {
      const bench = new Bench(mode);
      bench.memory.write(0x2020, 0x3001, 0);
      bench.memory.write(0x4000, 0x3003, 0);
      const before = changed(bench.registers);
      let calls = 0;
      const due = (): void => {
        if (++calls === 1) assert.deepEqual(changed(bench.registers), before);
      };
      const effects = load(bench.registers, { ...bench.rules, due });
      if (calls === 0) assert.deepEqual(changed(bench.registers), before);
      return { told: Math.min(calls, 1), refused: (effects & GP) !== 0 };
    };
    for (const mode of ['32-bit', 'pae', '4-level'] as const) {
      for (const [name, load] of [
        ['CR0', (registers, rules) => loadCr0(registers, rules, registers.lo(Register.cr0) ^ Cr0.wp, 0)],
        ['CR3', (registers, rules) => loadCr3(registers, rules, 0x2020, 0)],
        ['CR4', (registers, rules) => loadCr4(registers, rules, registers.lo(Register.cr4) | Cr4.smep, 0)],
        ['EFER', (registers, rules) => loadEfer(registers, rules, registers.lo(Register.efer) ^ Efer.nxe, 0)],
      ] as const satisfies readonly (readonly [string, (registers: Registers, rules: LoadRules) => number])[]) {
        it(`${name}, ${mode}`, () => assert.deepEqual(told(mode, load), { told: 1, refused: false }));
      }
    }
    it('and not of what is refused', () => {
      assert.deepEqual(
        told('pae', (registers, rules) => loadCr3(registers, rules, 0x4000, 0)),
        { told: 0, refused: true },
      );
      assert.deepEqual(
        told('4-level', (registers, rules) => loadCr4(registers, rules, registers.lo(Register.cr4) & ~Cr4.pae, 0)),
        { told: 0, refused: true },
      );
    });
  });

  it('make the policy and the keys of accesses', () => {
    const bench = new Bench('4-level', { smep: true, smap: true, pke: true, pks: true });
    assert.equal(policyOf(bench.registers), Policy.writeProtect | Policy.smep | Policy.smap | Policy.nxe);
    assert.equal(keysOf(bench.registers), Keys.user | Keys.supervisor);
    assert.equal(policyOf(new Bench('none', { smap: true }).registers), 0);
    assert.equal(policyOf(new Bench('32-bit').registers) & Policy.nxe, 0, 'NXE means nothing in 32-bit paging');
    assert.equal(keysOf(new Bench('pae', { pke: true }).registers), 0, 'no keys outside long mode');
  });

  it('are in the journal, forwards and backwards', () => {
    const bench = new Bench('4-level', { pcide: true });
    const row = bench.journal.length;
    bench.cr3(0x1234_5003, 7);
    const key = SPACES[Space.register].key.encode({ vcpu: 3, bank: Bank.own, register: Register.cr3 });
    const state = new State(bench.journal).seek(bench.journal.length);
    assert.equal(state.space(Space.register).get(key), 0x7_1234_5003n);
    assert.equal(state.seek(row).space(Space.register).get(key), 0x1000n);
  });
});
