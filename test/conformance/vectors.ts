/**
 * Conformance vectors: page tables, control state, accesses, and what a machine did (see README.md beside this file for the form). A case
 * runs through the engine's own entry points: registers, their loads, and the processor.
 */
import { highOf, lowOf, toBigInt } from '../../server/src/engine/bits';
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import { PhysicalMemory } from '../../server/src/engine/memory/physical-memory';
import type { TlbConfig, VcpuConfig } from '../../server/src/engine/program';
import {
  GuestFormats,
  LOAD_REFUSED,
  loadCr0,
  loadCr3,
  loadCr4,
  loadEfer,
  resetRegisters,
  type LoadRules,
} from '../../server/src/engine/vcpu/control-registers';
import { useGuestRegisters } from '../../server/src/engine/vcpu/guest-context';
import { PmlLog } from '../../server/src/engine/vcpu/pml-log';
import { Context } from '../../server/src/engine/vcpu/processor-context';
import { Outcome, Processor } from '../../server/src/engine/vcpu/processor';
import { Register, Registers } from '../../server/src/engine/vcpu/registers';
import { eptFormat, nptFormat } from '../../server/src/engine/x86/formats';
import { Access, Policy } from '../../server/src/engine/x86/permissions';
import { FEATURES } from '../engine/x86/subject';

type Hex = string;
type Bit = 0 | 1;
type Words = Record<Hex, Hex>;

interface State {
  cr3: Hex;
  wp: Bit;
  nxe: Bit;
  smep: Bit;
  smap: Bit;
  pge: Bit;
  pke?: Bit;
  pks?: Bit;
  pse?: Bit;
  pkru?: Hex;
  pkrs?: Hex;
}

type Nested = { type: 'npt'; ncr3: Hex; levels: 4 | 5; nxe: Bit } | { type: 'ept'; eptp: Hex; levels: 4 | 5; ad: Bit; pml?: Bit };

interface Expected {
  outcome: 'ok' | 'pf' | 'gp' | 'npf' | 'ept_violation' | 'ept_misconfig';
  physical?: Hex;
  value?: Hex;
  error?: Hex;
  cr2?: Hex;
  exitinfo1?: Hex;
  exitinfo2?: Hex;
  qualification?: Hex;
  guest_physical?: Hex;
  guest_linear?: Hex;
  pml?: Hex[];
}

interface AccessStep {
  op: 'access';
  access: 'read' | 'write' | 'fetch' | 'implicit_read';
  cpl: 0 | 3;
  ac: Bit;
  linear: Hex;
  value?: Hex;
  result: Expected;
  after: Words;
  optional?: Words;
}

type Step =
  | AccessStep
  | { op: 'store'; physical: Hex; value: Hex }
  | { op: 'invlpg'; linear: Hex }
  | { op: 'flush' }
  | { op: 'set'; register: string; value: Hex | number };

export interface Vector {
  id: string;
  paging: '4-level' | '5-level' | 'pae' | '32-bit';
  maxphyaddr: number;
  state: State;
  nested?: Nested;
  memory: Words;
  steps: Step[];
}

/** Machines of which every vector must be true: with and without caches, and with the journal, whose rows the walker writes apart. */
const MACHINES: readonly { readonly name: string; readonly tlb: TlbConfig; readonly journal: boolean }[] = [
  { name: 'no TLB', tlb: { on: false, l1: { sets: 1, ways: 1 }, l2: { sets: 1, ways: 1 }, pagingStructureEntries: 0 }, journal: false },
  { name: 'TLB', tlb: { on: true, l1: { sets: 16, ways: 4 }, l2: { sets: 128, ways: 12 }, pagingStructureEntries: 0 }, journal: false },
  {
    name: 'all caches, journal',
    tlb: { on: true, l1: { sets: 4, ways: 2 }, l2: { sets: 8, ways: 2 }, pagingStructureEntries: 4 },
    journal: true,
  },
];

const PML_PAGE = 0xff_ffff_e000;
const KINDS = { read: ACCESS_READ, write: ACCESS_WRITE, fetch: ACCESS_FETCH, implicit_read: ACCESS_READ | ACCESS_IMPLICIT };

/** Run a case; what differs from its expectations, none when it passes. */
export function runVector(vector: Vector): string[] {
  const problems: string[] = [];
  for (const { name, tlb, journal } of MACHINES) {
    for (const problem of new Run(vector, tlb, journal).go()) problems.push(`${name}: ${problem}`);
  }
  return problems;
}

class Run {
  private readonly journal = new Journal(1 << 20, 1 << 8);
  private readonly memory = new PhysicalMemory(this.journal);
  private readonly registers = new Registers(this.journal, 0);
  private readonly context = new Context();
  private readonly processor: Processor;
  private readonly formats: GuestFormats;
  private readonly rules: LoadRules;
  private readonly expected = new Map<bigint, bigint>();
  /** Words that accesses have written. */
  private readonly data = new Set<bigint>();
  private readonly problems: string[] = [];

  constructor(
    private readonly vector: Vector,
    tlb: TlbConfig,
    journal: boolean,
  ) {
    this.journal.on = journal;
    const { nested, maxphyaddr: maxPhyAddr, state, paging } = vector;
    const amd = nested?.type === 'npt';
    for (const [address, value] of Object.entries(vector.memory)) this.expect(BigInt(address), BigInt(value));
    this.processor = new Processor(this.memory, amd, tlb);
    this.formats = new GuestFormats({ features: FEATURES, maxPhyAddr, amd });
    this.context.vpid = nested ? 1 : 0;
    if (nested?.type === 'ept') {
      const levels = nested.levels;
      const ept = { levels, accessedDirty: nested.ad === 1, executeOnly: true, page1G: true, maxPhyAddr };
      this.context.second = eptFormat(ept);
      this.useRoot(BigInt(nested.eptp));
      if (nested.pml === 1) {
        this.registers.set(Register.pmlAddress, PML_PAGE | 0, (PML_PAGE / 0x1_0000_0000) | 0);
        this.context.pml = new PmlLog(this.memory, this.registers);
      }
    } else if (nested) {
      const mode = nested.levels === 5 ? '5-level' : '4-level';
      this.context.second = nptFormat({ mode, nxe: nested.nxe === 1, page1G: true, maxPhyAddr });
      this.context.secondPolicy = nested.nxe === 1 ? Policy.nxe : 0;
      this.useRoot(BigInt(nested.ncr3));
    }
    const stage = nested ? this.processor.second : null;
    this.rules = { features: FEATURES, maxPhyAddr, amd, memory: this.memory, stage, pdptesInMemory: amd };

    resetRegisters(this.registers, vcpuConfig(paging, state));
    this.enter();
    const cr3 = BigInt(state.cr3);
    if ((loadCr3(this.registers, this.rules, lowOf(cr3), highOf(cr3)) & LOAD_REFUSED) !== 0) this.problems.push('CR3 is refused');
    this.enter();
  }

  go(): readonly string[] {
    this.vector.steps.forEach((step, i) => {
      const before = this.problems.length;
      this.step(step);
      for (let n = before; n < this.problems.length; n++) this.problems[n] = `step ${i} ${step.op}: ${this.problems[n]}`;
    });
    return this.problems;
  }

  private useRoot(value: bigint): void {
    this.context.secondRootLo = lowOf(value);
    this.context.secondRootHi = highOf(value);
  }

  private enter(): void {
    useGuestRegisters(this.context, this.registers, this.formats, this.rules.pdptesInMemory);
    this.processor.enter(this.context);
  }

  private step(step: Step): void {
    const { invalidations } = this.processor;
    if (step.op === 'access') this.access(step);
    else if (step.op === 'store') this.expect(BigInt(step.physical), BigInt(step.value));
    else if (step.op === 'invlpg') invalidations.invlpg(lowOf(BigInt(step.linear)), highOf(BigInt(step.linear)));
    else if (step.op === 'flush') invalidations.everything();
    else this.set(step.register, Number(step.value));
  }

  private set(register: string, value: number): void {
    const { registers, rules } = this;
    const bit = (target: Register, mask: number): number => (value ? registers.lo(target) | mask : registers.lo(target) & ~mask);
    let effects = 0;
    if (register === 'wp') effects = loadCr0(registers, rules, bit(Register.cr0, 1 << 16), 0);
    else if (register === 'nxe') effects = loadEfer(registers, rules, bit(Register.efer, 1 << 11), 0);
    else if (register === 'smep') effects = loadCr4(registers, rules, bit(Register.cr4, 1 << 20), 0);
    else if (register === 'smap') effects = loadCr4(registers, rules, bit(Register.cr4, 1 << 21), 0);
    else if (register === 'pge') effects = loadCr4(registers, rules, bit(Register.cr4, 1 << 7), 0);
    else if (register === 'pke') effects = loadCr4(registers, rules, bit(Register.cr4, 1 << 22), 0);
    else if (register === 'pks') effects = loadCr4(registers, rules, bit(Register.cr4, 1 << 24), 0);
    else if (register === 'pse') effects = loadCr4(registers, rules, bit(Register.cr4, 1 << 4), 0);
    else if (register === 'pkru') registers.set(Register.pkru, value | 0, 0);
    else if (register === 'pkrs') registers.set(Register.pkrs, value | 0, 0);
    else this.problems.push(`register ${register} is not known`);
    if ((effects & LOAD_REFUSED) !== 0) this.problems.push(`${register} is refused`);
    this.enter();
    this.processor.invalidations.apply(effects);
  }

  private access(step: AccessStep): void {
    const { processor, vector, registers } = this;
    if (vector.nested) processor.invalidations.everything();
    registers.set(Register.pmlIndex, 511, 0);
    const linear = BigInt(step.linear);
    const access = KINDS[step.access] | (step.cpl === 3 ? ACCESS_USER : 0) | (step.ac === 1 ? Access.ac : 0);
    const outcome = processor.access(lowOf(linear), highOf(linear), access);
    const got = this.result(outcome, step);
    const { pml: wantedPml, value: wantedValue, ...wanted } = step.result;
    if (wantedValue !== undefined) {
      const value = `0x${this.load(processor.host).toString(16)}`;
      if (outcome === Outcome.ok && value !== wantedValue) this.problems.push(`value ${value}, expected ${wantedValue}`);
    }
    if (wanted.guest_linear !== undefined) got.guest_linear = step.linear;
    this.compareRecords(got as unknown as Record<string, string>, wanted as unknown as Record<string, string>);
    if (wantedPml !== undefined) this.comparePml(wantedPml);
    if (outcome === Outcome.ok && step.access === 'write') this.store(processor.host, BigInt(step.value ?? 0));
    this.compareMemory(step, outcome === Outcome.ok && step.access === 'write' ? processor.host : -1);
  }

  private get size(): 4 | 8 {
    return this.vector.paging === 'pae' || this.vector.paging === '32-bit' ? 4 : 8;
  }

  private load(address: number): bigint {
    if (this.size === 4) return BigInt(this.memory.load(address, 4) >>> 0);
    return toBigInt(this.memory.low(address), this.memory.high(address));
  }

  private store(address: number, value: bigint): void {
    this.memory.store(address, this.size, lowOf(value), highOf(value));
  }

  private result(outcome: Outcome, step: AccessStep): Expected {
    const { processor } = this;
    const hex = (value: number): string => `0x${value.toString(16)}`;
    switch (outcome) {
      case Outcome.ok:
        return { outcome: 'ok', physical: hex(processor.host) };
      case Outcome.pageFault:
        return { outcome: 'pf', error: hex(processor.errorCode), cr2: step.linear };
      case Outcome.generalProtection:
        return { outcome: 'gp', error: '0x0' };
      case Outcome.nestedPageFault: {
        const info = toBigInt(processor.exitInfo1Lo, processor.exitInfo1Hi);
        return { outcome: 'npf', exitinfo1: `0x${info.toString(16)}`, exitinfo2: hex(processor.exitGpa) };
      }
      case Outcome.eptViolation:
        return { outcome: 'ept_violation', qualification: hex(processor.qualification), guest_physical: hex(processor.exitGpa) };
      default:
        return { outcome: 'ept_misconfig', guest_physical: hex(processor.exitGpa) };
    }
  }

  private compareRecords(got: Record<string, string>, wanted: Record<string, string>): void {
    for (const key of new Set([...Object.keys(got), ...Object.keys(wanted)])) {
      if (got[key] !== wanted[key]) this.problems.push(`${key} ${got[key]}, expected ${wanted[key]}`);
    }
  }

  private comparePml(wanted: readonly Hex[]): void {
    const got: string[] = [];
    for (let index = 511; index > (this.registers.lo(Register.pmlIndex) << 16) >> 16; index--) {
      const at = PML_PAGE + index * 8;
      got.push(`0x${toBigInt(this.memory.low(at), this.memory.high(at)).toString(16)}`);
    }
    if (got.join() !== wanted.join()) this.problems.push(`pml ${got.join(' ')}, expected ${wanted.join(' ')}`);
  }

  /** Every word that is known or not zero, except bits left open and data that reached no table. */
  private compareMemory(step: AccessStep, written: number): void {
    const { expected } = this;
    const after = new Map(Object.entries(step.after).map(([address, value]) => [BigInt(address), BigInt(value)]));
    const optional = new Map(Object.entries(step.optional ?? {}).map(([address, mask]) => [BigInt(address), BigInt(mask)]));
    const words = new Set([...expected.keys(), ...after.keys(), ...this.wordsInUse()]);
    if (written >= 0) this.data.add(BigInt(written) & ~7n);
    for (const address of words) {
      if (this.data.has(address) && !after.has(address) && !expected.has(address)) continue;
      if (address >> 12n === BigInt(PML_PAGE) >> 12n) continue;
      const want = after.get(address) ?? expected.get(address) ?? 0n;
      const at = Number(address);
      const got = toBigInt(this.memory.low(at), this.memory.high(at));
      if (((got ^ want) & ~(optional.get(address) ?? 0n)) !== 0n) {
        this.problems.push(`word 0x${address.toString(16)} is 0x${got.toString(16)}, expected 0x${want.toString(16)}`);
      }
      this.expect(address, want);
    }
  }

  /** Addresses of the words that are not zero. */
  private wordsInUse(): bigint[] {
    const found: bigint[] = [];
    for (const frame of this.memory.framesInUse()) {
      const at = this.memory.locate((frame * 4096) | 0, (frame / 0x10_0000) | 0);
      for (let i = 0; i < 1024; i += 2) {
        if ((this.memory.words[at + i] | this.memory.words[at + i + 1]) !== 0) found.push(BigInt(frame * 4096 + i * 4));
      }
    }
    return found;
  }

  /** From here on this word has this value. */
  private expect(address: bigint, value: bigint): void {
    this.expected.set(address, value);
    this.memory.write(Number(address), lowOf(value), highOf(value));
  }
}

function vcpuConfig(paging: Vector['paging'], state: State): VcpuConfig {
  const on = (bit: Bit | undefined): boolean => bit === 1;
  return {
    name: 'cpu',
    paging,
    cr3: 0n,
    cr0: { wp: on(state.wp) },
    cr4: {
      pse: on(state.pse),
      pge: on(state.pge),
      pcide: false,
      smep: on(state.smep),
      smap: on(state.smap),
      pke: on(state.pke),
      pks: on(state.pks),
    },
    efer: { nxe: on(state.nxe) },
    eflagsAc: false,
    pkru: Number(state.pkru ?? 0),
    pkrs: Number(state.pkrs ?? 0),
    cpl: 0,
  };
}
