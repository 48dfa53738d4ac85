/** The engine's processor set up like a {@link NaiveMachine}, and its answers in the same form. */
import { highOf, lowOf, toBigInt } from '../../../server/src/engine/bits';
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../../../server/src/engine/journal/events';
import { Journal } from '../../../server/src/engine/journal/journal';
import { PhysicalMemory } from '../../../server/src/engine/memory/physical-memory';
import type { Features, TlbConfig } from '../../../server/src/engine/program';
import { GuestFormats, LOAD_REFUSED, loadCr3, resetRegisters, type LoadRules } from '../../../server/src/engine/vcpu/control-registers';
import { useGuestRegisters } from '../../../server/src/engine/vcpu/guest-context';
import { Context } from '../../../server/src/engine/vcpu/processor-context';
import { Outcome, Processor } from '../../../server/src/engine/vcpu/processor';
import { Registers } from '../../../server/src/engine/vcpu/registers';
import { eptFormat, nptFormat } from '../../../server/src/engine/x86/formats';
import { Access, Policy } from '../../../server/src/engine/x86/permissions';
import type { NaiveAccess, NaiveResult, NaiveState } from './naive-machine';

export const NO_TLB: TlbConfig = { on: false, l1: { sets: 1, ways: 1 }, l2: { sets: 1, ways: 1 }, pagingStructureEntries: 0 };
export const TLB: TlbConfig = { on: true, l1: { sets: 16, ways: 4 }, l2: { sets: 128, ways: 12 }, pagingStructureEntries: 0 };
export const ALL_CACHES: TlbConfig = { ...TLB, pagingStructureEntries: 8 };

export const FEATURES: Features = {
  la57: true,
  nx: true,
  smep: true,
  smap: true,
  pcid: true,
  pku: true,
  pks: true,
  page1G: true,
  pse36: true,
  eptAd: true,
  eptExecuteOnly: true,
  ept1G: true,
  ept5Level: true,
  pml: true,
  vmcsShadowing: false,
  decodeAssists: true,
  vpid: true,
};

/** ACCESS_* bits of an access. */
export function accessBits(access: NaiveAccess): number {
  const kind = access.kind === 'read' ? ACCESS_READ : access.kind === 'write' ? ACCESS_WRITE : ACCESS_FETCH;
  return kind | (access.user ? ACCESS_USER : 0) | (access.implicit ? ACCESS_IMPLICIT : 0) | (access.ac ? Access.ac : 0);
}

export class Subject {
  readonly journal = new Journal(1 << 20, 1 << 8);
  readonly memory = new PhysicalMemory(this.journal);
  readonly registers = new Registers(this.journal, 0);
  readonly context = new Context();
  readonly processor: Processor;
  readonly formats: GuestFormats;
  readonly rules: LoadRules;
  /** CR3 was refused (PAE: its PDPTEs). */
  readonly refused: boolean;

  constructor(state: NaiveState, words: ReadonlyMap<bigint, bigint>, tlb: TlbConfig, journal: boolean) {
    this.journal.on = journal;
    const { maxPhyAddr, amd, second, page1G } = state;
    for (const [address, value] of words) this.store(address, value);
    const features = { ...FEATURES, page1G };
    this.processor = new Processor(this.memory, amd, tlb);
    this.formats = new GuestFormats({ features, maxPhyAddr, amd });
    if (second !== null) {
      this.context.vpid = 1;
      this.context.secondRootLo = lowOf(second.root);
      this.context.secondRootHi = highOf(second.root);
      if (second.type === 'ept') {
        const levels = second.levels === 5 ? 5 : 4;
        this.context.second = eptFormat({ levels, accessedDirty: second.ad, executeOnly: second.executeOnly, page1G, maxPhyAddr });
      } else {
        this.context.second = nptFormat({ mode: second.levels === 5 ? '5-level' : '4-level', nxe: second.nxe, page1G, maxPhyAddr });
        this.context.secondPolicy = second.nxe ? Policy.nxe : 0;
      }
    }
    const stage = second === null ? null : this.processor.second;
    this.rules = { features, maxPhyAddr, amd, memory: this.memory, stage, pdptesInMemory: amd && second !== null };
    const { paging, pkru, pkrs } = state;
    resetRegisters(this.registers, {
      name: 'cpu',
      paging,
      cr3: 0n,
      cr0: { wp: state.wp },
      cr4: { pse: state.pse, pge: false, pcide: false, smep: state.smep, smap: state.smap, pke: state.pke, pks: state.pks },
      efer: { nxe: state.nxe },
      eflagsAc: false,
      pkru,
      pkrs,
      cpl: 0,
    });
    this.enter();
    this.refused = (loadCr3(this.registers, this.rules, lowOf(state.cr3), highOf(state.cr3)) & LOAD_REFUSED) !== 0;
    this.enter();
  }

  /** Registers and context were changed. */
  enter(): void {
    useGuestRegisters(this.context, this.registers, this.formats, this.rules.pdptesInMemory);
    this.processor.enter(this.context);
  }

  store(address: bigint, value: bigint): void {
    this.memory.write(Number(address), lowOf(value), highOf(value));
  }

  access(access: NaiveAccess): NaiveResult {
    const { processor } = this;
    const outcome = processor.access(lowOf(access.linear), highOf(access.linear), accessBits(access));
    switch (outcome) {
      case Outcome.ok:
        return { outcome: 'ok', physical: BigInt(processor.host) };
      case Outcome.pageFault:
        return { outcome: 'pf', error: processor.errorCode };
      case Outcome.generalProtection:
        return { outcome: 'gp' };
      case Outcome.nestedPageFault:
        return { outcome: 'npf', info: toBigInt(processor.exitInfo1Lo, processor.exitInfo1Hi), gpa: BigInt(processor.exitGpa) };
      case Outcome.eptViolation:
        return { outcome: 'ept_violation', qualification: processor.qualification, gpa: BigInt(processor.exitGpa) };
      default:
        return { outcome: 'ept_misconfig', gpa: BigInt(processor.exitGpa) };
    }
  }

  /** Words of memory that are not zero. */
  words(): Map<bigint, bigint> {
    const found = new Map<bigint, bigint>();
    for (const frame of this.memory.framesInUse()) {
      const at = this.memory.locate((frame * 4096) | 0, (frame / 0x10_0000) | 0);
      for (let i = 0; i < 1024; i += 2) {
        const value = toBigInt(this.memory.words[at + i], this.memory.words[at + i + 1]);
        if (value !== 0n) found.set(BigInt(frame * 4096 + i * 4), value);
      }
    }
    return found;
  }
}
