/**
 * The machine: processors, memory and hypervisors of a configuration, and the acts of a program performed on it (§1). Never
 * throws and never goes on for ever, whatever the program says.
 */
import { highOf, lowOf } from './bits';
import type { FoundEntry, Inspection } from './inspection';
import type { Journal } from './journal/journal';
import { Actor } from './journal/events';
import type { PhysicalMemory } from './memory/physical-memory';
import type { Act, Budget, MachineConfig, Performer, RegisterName, TableRef } from './program';
import type { ExitCount, Result } from './result';
import { Register } from './vcpu/registers';
import { invlpg, invpcid, loadRegister } from './mmu/control';
import { GuestActs } from './mmu/guest-acts';
import { findEntry } from './mmu/guest-tables';
import type { Hypervisor } from './mmu/hypervisor';
import type { Completion } from './mmu/instruction';
import { brokenInvariants } from './mmu/invariants';
import type { KvmVcpu } from './mmu/kvm-vcpu';
import { MemslotStage } from './mmu/memslot-stage';
import { Host } from './mmu/setup';
import type { ShadowPage } from './mmu/shadow-page';
import { pageState, type PageState } from './mmu/state';

export interface Performed {
  readonly result: Result;
  readonly exits: readonly ExitCount[];
  /** Paging-structure entries that processors read. */
  readonly references: number;
}

const NO_PERFORMER: Result = { kind: 'error', errno: 'ENOENT', why: 'there is no such vCPU' };
const NOT_YET: Result = { kind: 'error', errno: 'ENOSYS', why: 'nested guests are not supported yet' };
const REGISTERS = {
  cr0: Register.cr0,
  cr2: Register.cr2,
  cr3: Register.cr3,
  cr4: Register.cr4,
  efer: Register.efer,
  eflags: Register.rflags,
  pkru: Register.pkru,
  pkrs: Register.pkrs,
} as const;

export class Machine implements Inspection {
  /** What the machine's declarations came to where KVM refused them. */
  readonly setup: { readonly origin: number; readonly result: Result }[] = [];
  readonly physical: PhysicalMemory;
  private readonly host: Host;
  private readonly hypervisors: (Hypervisor | null)[] = [];
  private readonly guests: GuestActs[][] = [];

  constructor(config: MachineConfig, journal: Journal, budget: Budget) {
    this.host = new Host(config.host, journal, budget.memory);
    this.physical = this.host.physical;
    config.vms.forEach((vm, index) => {
      journal.actor = Actor.user;
      this.guests.push([]);
      if (vm.parent !== null) {
        this.hypervisors.push(null);
        this.setup.push({ origin: vm.slots[0]?.origin ?? 0, result: NOT_YET });
        return;
      }
      const hypervisor = this.host.hypervisor(index, vm);
      this.hypervisors.push(hypervisor);
      if (config.host.kvm.nrMmuPages > 0)
        hypervisor.perform({ do: 'set-nr-mmu-pages', vm: index, pages: config.host.kvm.nrMmuPages, origin: 0 });
      for (const slot of vm.slots) {
        const result = hypervisor.setSlot(slot);
        if (result.kind === 'error') this.setup.push({ origin: slot.origin, result });
      }
      hypervisor.load(vm.memory);
      vm.vcpus.forEach((vcpu, i) => {
        const parts = this.host.vcpu(hypervisor, vm, i, vcpu, Actor.L0);
        this.guests[index].push(new GuestActs(parts, Actor.L1, (act) => void this.carryOut(act)));
      });
    });
  }

  /** Memory that the run may touch is used up. */
  get exhausted(): boolean {
    return this.physical.exhausted;
  }

  perform(act: Act): Performed {
    const before = this.references;
    const result = this.carryOut(act);
    this.settle();
    return { result, exits: this.takeExits(), references: this.references - before };
  }

  private carryOut(act: Act): Result {
    switch (act.do) {
      case 'expect':
        return { kind: 'done' };
      case 'check-invariants': {
        const broken = this.brokenInvariants();
        return {
          kind: 'expectation',
          holds: broken.length === 0,
          expected: 'all invariants hold',
          got: broken.join('; ') || 'they hold',
          instead: null,
        };
      }
      case 'access':
      case 'store':
      case 'edit':
      case 'register':
      case 'invlpg':
      case 'invpcid':
      case 'invept':
      case 'invvpid':
      case 'vmenter':
        return this.byGuest(act);
      default: {
        const hypervisor = this.hypervisors[act.vm];
        return hypervisor ? hypervisor.perform(act) : { kind: 'error', errno: 'ENOENT', why: 'there is no such VM' };
      }
    }
  }

  private byGuest(act: Extract<Act, { by: Performer }>): Result {
    const guest = this.guests[act.by.vm]?.[act.by.vcpu];
    if (guest === undefined) return this.hypervisors[act.by.vm] === null ? NOT_YET : NO_PERFORMER;
    const { vcpu } = guest;
    switch (act.do) {
      case 'access':
        return this.resultOf(vcpu, guest.access(act));
      case 'store':
        return this.resultOf(vcpu, guest.store(act.origin, act.gpa, act.size, act.value));
      case 'edit':
        return doneOr(this.resultOf(vcpu, guest.edit(act)));
      case 'register': {
        const value = act.mask === undefined ? act.value : (this.register(act.by, act.register) & ~act.mask) | (act.value & act.mask);
        return doneOr(this.resultOf(vcpu, loadRegister(vcpu, act.register, value)));
      }
      case 'invlpg':
        return doneOr(this.resultOf(vcpu, invlpg(vcpu, act.address)));
      case 'invpcid':
        return doneOr(this.resultOf(vcpu, invpcid(vcpu, act.type, act.pcid, act.address)));
      default:
        return NOT_YET;
    }
  }

  private resultOf(vcpu: KvmVcpu, completion: Completion): Result {
    switch (completion.kind) {
      case 'ok': {
        const { gpa, hpa, value } = completion;
        const hva = gpa === null ? -1 : vcpu.kvm.guest.hva(gpa);
        return { kind: 'ok', gpa, hva: hva < 0 ? null : hva, hpa, value };
      }
      case 'page-fault':
        return { kind: 'page-fault', error: completion.error, address: (BigInt(completion.hi >>> 0) << 32n) | BigInt(completion.lo >>> 0) };
      default:
        return completion;
    }
  }

  /** vCPUs that were interrupted go on (requests are served on the way in). */
  private settle(): void {
    for (const guests of this.guests) for (const { vcpu } of guests) if (vcpu.interrupted) vcpu.enter();
  }

  private takeExits(): ExitCount[] {
    const counts = new Map<string, number>();
    for (const guests of this.guests) {
      for (const { vcpu } of guests) {
        for (const [reason, count] of vcpu.exits) counts.set(reason, (counts.get(reason) ?? 0) + count);
        vcpu.exits.clear();
      }
    }
    return [...counts].map(([reason, count]) => ({ reason, count }));
  }

  private get references(): number {
    let sum = 0;
    for (const guests of this.guests) for (const { vcpu } of guests) sum += vcpu.processor.references;
    return sum;
  }

  // Inspection

  private vcpu(by: Performer): KvmVcpu | null {
    return this.guests[by.vm]?.[by.vcpu]?.vcpu ?? null;
  }

  /** The table by which a vCPU runs now; null before it has run, or when it is no more. */
  rootOf(by: Performer): { readonly kind: 'shadow' | 'tdp'; readonly hpa: number; readonly level: number } | null {
    const vcpu = this.vcpu(by);
    if (vcpu === null) return null;
    const { hpa, level } = vcpu.mmu.roots.current;
    return hpa < 0 ? null : { kind: vcpu.kvm.tdp ? 'tdp' : 'shadow', hpa, level };
  }

  entry(table: TableRef | 'shadow' | 'tdp', by: Performer, address: bigint, level: number): FoundEntry | null {
    const vcpu = this.vcpu(by);
    if (vcpu === null) return null;
    const lo = lowOf(address);
    const hi = highOf(address);
    if (typeof table === 'object') {
      const format = vcpu.formatNamed(table.format);
      const stage = new MemslotStage(() => vcpu.kvm.guest, true);
      return format === null ? null : findEntry(this.physical, format, table.root, stage, lo, hi, level);
    }
    const root = this.rootOf(by);
    if (root === null || root.kind !== table) return null;
    return vcpu.shadowEntry(lo, hi, level);
  }

  pageState(vm: number, gpa: number, state: PageState): boolean {
    const hypervisor = this.hypervisors[vm];
    return hypervisor ? pageState(hypervisor.kvm, Math.floor(gpa / 4096), state) : false;
  }

  dirtyPages(vm: number, slot: number): readonly number[] | null {
    const found = this.hypervisors[vm]?.guest.slots.byNumber(slot);
    if (!found?.dirtyLog) return null;
    return found.dirtyLog.dirty().map((page) => (found.gfn + page) * 4096);
  }

  tlbHas(by: Performer, address: bigint): boolean {
    return this.vcpu(by)?.processor.caches(lowOf(address), highOf(address)) ?? false;
  }

  word(vm: number, gpa: number): bigint | null {
    const address = this.hpaOf(vm, gpa - (gpa % 8));
    if (address === null) return null;
    return (BigInt(this.physical.high(address) >>> 0) << 32n) | BigInt(this.physical.low(address) >>> 0);
  }

  hpaOf(vm: number, gpa: number): number | null {
    const address = this.hypervisors[vm]?.guest.look(gpa) ?? -1;
    return address < 0 ? null : address;
  }

  register(by: Performer, name: RegisterName | 'cr2'): bigint {
    return this.vcpu(by)?.registers.value(REGISTERS[name]) ?? 0n;
  }

  /** Shadow pages of a VM, zapped roots in use included, in no particular order. */
  shadowPages(vm: number): readonly ShadowPage[] {
    const hypervisor = this.hypervisors[vm];
    return hypervisor ? [...hypervisor.kvm.pages.all()] : [];
  }

  brokenInvariants(): readonly string[] {
    return this.hypervisors.flatMap((hypervisor) => (hypervisor ? brokenInvariants(hypervisor) : []));
  }
}

/** Acts that have nothing to say when they are done. */
function doneOr(result: Result): Result {
  return result.kind === 'ok' ? { kind: 'done' } : result;
}
