/**
 * The machine: processors, memory and hypervisors of a configuration, and the acts of a program performed on it (§1). Never
 * throws and never goes on for ever, whatever the program says.
 */
import { highOf, lowOf, toBigInt } from './bits';
import type { FoundEntry, Inspection } from './inspection';
import type { Journal } from './journal/journal';
import { Actor } from './journal/events';
import { exitReasonName } from './mmu/exit-names';
import type { PhysicalMemory } from './memory/physical-memory';
import type { AccessAct, Act, Budget, ControlField, HypervisorTable, MachineConfig, Performer, RegisterName, TableRef } from './program';
import type { ExitCount, Result } from './result';
import { REGISTER_OF } from './vcpu/registers';
import type { Tlb } from './vcpu/tlb';
import { exitingInstruction } from './mmu/exits/exiting-instruction';
import { invlpg, invpcid } from './mmu/exits/invlpg-invpcid';
import { movFrom } from './mmu/exits/mov-from';
import { loadRegister } from './mmu/exits/register-loads';
import { GuestActs, ripOf } from './mmu/guest/guest-acts';
import { GuestPhysical } from './mmu/guest/guest-physical';
import { findEntry } from './mmu/guest/own-tables';
import type { Hypervisor } from './mmu/vmm/hypervisor';
import type { Completion } from './mmu/vcpu/instruction';
import { brokenInvariants } from './mmu/checks/invariants';
import type { KvmVcpu } from './mmu/vcpu/kvm-vcpu';
import { formatNamed } from './mmu/vcpu/vcpu-mmu';
import { shadowEntry } from './mmu/inspection/look-through';
import { L1 } from './mmu/nested/l1';
import { invalidateNested } from './mmu/nested/instructions';
import { brokenNesting } from './mmu/checks/nested-invariants';
import { Host } from './mmu/vmm/setup';
import type { ShadowPage } from './mmu/pages/shadow-page';
import { pageState, type PageState } from './mmu/inspection/page-state';

interface Performed {
  readonly result: Result;
  readonly exits: readonly ExitCount[];
  /** Paging-structure entries that processors read. */
  readonly references: number;
}

const NO_PERFORMER: Result = { kind: 'error', errno: 'ENOENT', why: 'there is no such vCPU' };
type HypervisorAct = Extract<Act, { do: 'invept' | 'invvpid' | 'vmenter' | 'vmcs' }>;
type GuestAct = Exclude<Extract<Act, { by: Performer }>, HypervisorAct | { do: 'expect' }>;

interface Repeated extends Performed {
  /** Repetitions. */
  readonly done: number;
}

const NO_EXITS: readonly ExitCount[] = [];

function referencesOf(vcpus: readonly KvmVcpu[]): number {
  let sum = 0;
  for (const { processor } of vcpus) sum += processor.references;
  return sum;
}

function refused(why: string): Result {
  return { kind: 'error', errno: 'EOPNOTSUPP', why };
}

export class Machine implements Inspection {
  /** What the machine's declarations came to where KVM refused them. */
  readonly setup: { readonly origin: number; readonly result: Result }[] = [];
  readonly physical: PhysicalMemory;
  private readonly host: Host;
  private readonly hypervisors: (Hypervisor | null)[] = [];
  private readonly guests: GuestActs[][] = [];
  /** By L1 VM. */
  private readonly l1s = new Map<number, L1>();
  /** Why VMs cannot be. */
  private readonly refusals = new Map<number, string>();

  constructor(
    private readonly config: MachineConfig,
    private readonly journal: Journal,
    budget: Budget,
  ) {
    this.host = new Host(config.host, journal, budget.memory);
    this.physical = this.host.physical;
    config.vms.forEach((vm, index) => {
      journal.actor = Actor.user;
      this.guests.push([]);
      const l1 = vm.parent === null ? null : this.l1Of(config, index);
      if (typeof l1 === 'string') {
        this.hypervisors.push(null);
        this.refusals.set(index, l1);
        this.setup.push({ origin: vm.slots[0]?.origin ?? 0, result: refused(l1) });
        return;
      }
      const hypervisor = this.host.hypervisor(index, vm, l1);
      this.hypervisors.push(hypervisor);
      if (config.host.kvm.nrMmuPages > 0)
        hypervisor.perform({ do: 'set-nr-mmu-pages', vm: index, pages: config.host.kvm.nrMmuPages, origin: 0 });
      for (const slot of vm.slots) {
        const result = hypervisor.setSlot(slot);
        if (result.kind === 'error') this.setup.push({ origin: slot.origin, result });
      }
      hypervisor.load(vm.memory);
      const byScript = l1 !== null && config.vms[vm.parent!].hypervisor === 'script';
      vm.vcpus.forEach((vcpu, i) => {
        const [made, guest] =
          l1 === null
            ? [this.host.vcpu(hypervisor, vm, i, vcpu), Actor.L1]
            : [this.host.nestedVcpu(l1, hypervisor, vm, i, vcpu, byScript), Actor.L2];
        this.guests[index].push(new GuestActs(made, guest, (act) => void this.carryOut(act)));
      });
    });
    for (const { memory } of this.l1s.values()) memory.quiet = false;
  }

  /** The L1 VM around a VM as its hypervisor's place; or why there can be none. */
  private l1Of({ vms }: MachineConfig, index: number): L1 | string {
    const { parent, mmu } = vms[index];
    const around = vms[parent!];
    const hypervisor = this.hypervisors[parent!];
    if (around === undefined || hypervisor === null || around.parent !== null) return 'a VM can stand in a VM of the host, no deeper';
    if (around.vcpus.length === 0) return `${around.name} has no vCPU to run a hypervisor on`;
    if (around.hypervisor === 'kvm' && mmu !== 'soft' && !hypervisor.kvm.tdp)
      return `KVM offers ${mmu.toUpperCase()} to its guest only when it uses it itself`;
    let l1 = this.l1s.get(parent!);
    if (l1 === undefined) {
      const inside = vms.filter((vm) => vm.parent === parent);
      this.l1s.set(parent!, (l1 = new L1(hypervisor.kvm, this.guests[parent!], around, inside)));
    }
    return l1;
  }

  /** Memory that the run may touch is used up. */
  get exhausted(): boolean {
    return this.physical.exhausted;
  }

  perform(act: Act): Performed {
    const processors = this.processorsOf(act);
    const before = referencesOf(processors);
    const result = this.carryOut(act);
    this.settle();
    return { result, exits: this.takeExits(), references: referencesOf(processors) - before };
  }

  /**
   * Performs repetitions of an access, as {@link perform} does each, until so many are done or the journal or the memory is full.
   *
   * @param from number of the first one, from 0 on
   * @param most at least 1
   * @returns the result of the last one; exits and references of all
   */
  repeat(act: AccessAct, from: number, most: number): Repeated {
    const guest = this.guestOf(act);
    if (!(guest instanceof GuestActs)) return { ...this.perform(act), done: 1 };
    const { vcpu } = guest;
    const processors = this.processorsOf(act);
    const before = referencesOf(processors);
    const address = BigInt.asUintN(64, act.address + BigInt(from) * act.stride);
    const [stepLo, stepHi] = [lowOf(act.stride), highOf(act.stride)];
    let lo = lowOf(address);
    let hi = highOf(address);
    let done = 0;
    let completion;
    do {
      vcpu.guests.stopGuest();
      vcpu.rip = ripOf(act.origin);
      completion = guest.access(act, lo, hi);
      this.settle();
      done++;
      const sum = (lo >>> 0) + (stepLo >>> 0);
      lo = sum | 0;
      hi = (hi + stepHi + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    } while (done < most && !this.journal.full && !this.exhausted);
    const result = this.resultOf(vcpu, completion);
    return { result, exits: this.takeExits(), references: referencesOf(processors) - before, done };
  }

  private carryOut(act: Act): Result {
    for (const { memory } of this.l1s.values()) memory.forgetMappings();
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
      case 'mov-from':
      case 'invlpg':
      case 'invpcid':
      case 'instruction':
        return this.byGuest(act);
      case 'invept':
      case 'invvpid':
      case 'vmenter':
      case 'vmcs':
        return this.byHypervisor(act);
      default: {
        const hypervisor = this.hypervisors[act.vm];
        if (!hypervisor) return { kind: 'error', errno: 'ENOENT', why: 'there is no such VM' };
        const parent = this.config.vms[act.vm].parent;
        if (parent !== null) this.runHypervisor(parent);
        return hypervisor.perform(act);
      }
    }
  }

  /** Who performs an act; or why nobody does. */
  private guestOf({ by }: GuestAct): GuestActs | Result {
    const refusal = this.refusals.get(by.vm);
    return this.guests[by.vm]?.[by.vcpu] ?? (refusal !== undefined ? refused(refusal) : NO_PERFORMER);
  }

  private byGuest(act: GuestAct): Result {
    const guest = this.guestOf(act);
    if (!(guest instanceof GuestActs)) return guest;
    const { vcpu } = guest;
    vcpu.guests.stopGuest();
    vcpu.rip = ripOf(act.origin);
    switch (act.do) {
      case 'access':
        return this.resultOf(vcpu, guest.access(act, lowOf(act.address), highOf(act.address)));
      case 'store':
        return this.resultOf(vcpu, guest.store(act.origin, act.gpa, act.size, act.value));
      case 'edit':
        return doneOr(this.resultOf(vcpu, guest.edit(act)));
      case 'register': {
        const value = act.mask === undefined ? act.value : (this.register(act.by, act.register) & ~act.mask) | (act.value & act.mask);
        return doneOr(this.resultOf(vcpu, loadRegister(vcpu, act.register, value)));
      }
      case 'mov-from':
        return this.resultOf(vcpu, movFrom(vcpu, act.register));
      case 'invlpg':
        return doneOr(this.resultOf(vcpu, invlpg(vcpu, act.address)));
      case 'invpcid':
        return doneOr(this.resultOf(vcpu, invpcid(vcpu, act.type, act.pcid, act.address)));
      case 'instruction': {
        const result = this.resultOf(vcpu, exitingInstruction(vcpu, act.instruction));
        return act.instruction === 'rdmsr' ? result : doneOr(result);
      }
    }
  }

  /** What an L1 does as a hypervisor. */
  private byHypervisor(act: HypervisorAct): Result {
    const { vcpu } = this.guests[act.by.vm]?.[act.by.vcpu] ?? {};
    if (vcpu === undefined || this.config.vms[act.by.vm].parent !== null) return NO_PERFORMER;
    vcpu.rip = ripOf(act.origin);
    if (act.do === 'invept' || act.do === 'invvpid') {
      vcpu.guests.stopGuest();
      return doneOr(this.resultOf(vcpu, invalidateNested(vcpu, this.host.nestingOf(vcpu), act)));
    }
    const guest = this.config.vms[act.guest]?.parent === act.by.vm ? this.guests[act.guest]?.[act.by.vcpu]?.vcpu : undefined;
    if (!guest?.mode.script) return refused('only a hypervisor that is played by the script enters its guests by the script');
    const { script } = guest.mode;
    vcpu.guests.stopGuest();
    return doneOr(this.resultOf(guest, act.do === 'vmenter' ? script.vmEntry(act.instruction) : script.writeField(act.field, act.value)));
  }

  /** An L1's VMM acts: its guests are out of hardware. */
  private runHypervisor(vm: number): void {
    for (const { vcpu } of this.guests[vm]) vcpu.guests.stopGuest();
  }

  private resultOf(vcpu: KvmVcpu, completion: Completion): Result {
    switch (completion.kind) {
      case 'ok': {
        const { gpa, at, hpa, valueLo, valueHi } = completion;
        return { kind: 'ok', gpa, hva: virtualAddress(vcpu, gpa, at), hpa, value: toBigInt(valueLo, valueHi) };
      }
      case 'page-fault':
        return { kind: 'page-fault', error: completion.error, address: (BigInt(completion.hi >>> 0) << 32n) | BigInt(completion.lo >>> 0) };
      case 'vm-exit': {
        const { reason, info, gpa } = completion;
        const name = exitReasonName(vcpu.parts.vendor, reason);
        const { info1Lo, info1Hi, info2Lo, info2Hi } = info;
        const [info1, info2] = [toBigInt(info1Lo, info1Hi), toBigInt(info2Lo, info2Hi)];
        return { kind: 'vm-exit', reason: name, code: reason, info1, info2, gpa, error: info.errorCode };
      }
      default:
        return completion;
    }
  }

  /** vCPUs that were interrupted go on (requests are served on the way in). */
  private settle(): void {
    for (const vcpu of this.host.activity.waiting) vcpu.enter();
  }

  private takeExits(): readonly ExitCount[] {
    const exits = this.host.activity.takeExits();
    return exits === null ? NO_EXITS : Array.from(exits, ([reason, count]) => ({ reason, count }));
  }

  /** Those that an act can make read paging structures: the guest's own, where no guest of it and no hypervisor in a guest runs on others. */
  private processorsOf(act: Act): readonly KvmVcpu[] {
    if ('by' in act && act.do !== 'expect' && this.l1s.size === 0) {
      const alone = this.vcpu(act.by);
      return alone === null ? [] : [alone];
    }
    return this.guests.flatMap((guests) => guests.map(({ vcpu }) => vcpu));
  }

  // Inspection

  private vcpu(by: Performer): KvmVcpu | null {
    return this.guests[by.vm]?.[by.vcpu]?.vcpu ?? null;
  }

  /** The table by which a vCPU runs now; null before it has run, or when it is no more. */
  rootOf(by: Performer): { readonly kind: 'shadow' | 'tdp'; readonly hpa: number; readonly level: number } | null {
    const vcpu = this.vcpu(by);
    if (vcpu === null) return null;
    const { root, below } = vcpu.mode;
    const { hpa, level } = root;
    return hpa < 0 ? null : { kind: below.kvm.tdp ? 'tdp' : 'shadow', hpa, level };
  }

  entry(table: TableRef | HypervisorTable, by: Performer, address: bigint, level: number): FoundEntry | null {
    const vcpu = this.vcpu(by);
    if (vcpu === null) return null;
    const lo = lowOf(address);
    const hi = highOf(address);
    if (typeof table === 'object') {
      const format = formatNamed(vcpu, table.format);
      return format === null ? null : findEntry(this.physical, format, table.root, new GuestPhysical(vcpu), lo, hi, level);
    }
    const own = table === 'shadow12' || table === 'tdp12';
    const { root12, root, below } = vcpu.mode;
    const from = own ? root12 : root;
    const { kvm } = own ? vcpu : below;
    if (from === null || kvm.tdp !== table.startsWith('tdp')) return null;
    return this.looking(() => shadowEntry(kvm, from, lo, hi, level));
  }

  pageState(vm: number, gpa: number, state: PageState): boolean {
    const hypervisor = this.hypervisors[vm];
    return hypervisor ? this.looking(() => pageState(hypervisor.kvm, Math.floor(gpa / 4096), state)) : false;
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
    const guest = this.guests[vm]?.[0];
    if (guest !== undefined) return new GuestPhysical(guest.vcpu).hpaOf(gpa);
    const hypervisor = this.hypervisors[vm];
    const address = hypervisor?.guest.look(gpa) ?? -1;
    const host = address < 0 || !hypervisor ? -1 : hypervisor.kvm.tables.look(address);
    return host < 0 ? null : host;
  }

  register(by: Performer, name: RegisterName | 'cr2'): bigint {
    return this.vcpu(by)?.parts.registers.value(REGISTER_OF[name]) ?? 0n;
  }

  control(by: Performer, field: ControlField): bigint | null {
    return this.vcpu(by)?.mode.field(field) ?? null;
  }

  /** Shadow pages of a VM, zapped roots in use included, in no particular order. */
  shadowPages(vm: number): readonly ShadowPage[] {
    const hypervisor = this.hypervisors[vm];
    return hypervisor ? [...hypervisor.kvm.pages.all()] : [];
  }

  /** What processors have cached, by their numbers. */
  get tlbs(): readonly Tlb[] {
    return this.host.tlbs;
  }

  brokenInvariants(): readonly string[] {
    return this.looking(() =>
      this.hypervisors.flatMap((hypervisor) =>
        hypervisor ? [...brokenInvariants(hypervisor), ...hypervisor.vcpus.flatMap((vcpu) => this.brokenNesting(vcpu))] : [],
      ),
    );
  }

  private brokenNesting(vcpu: KvmVcpu): string[] {
    const nesting = this.host.nestingOf(vcpu);
    return nesting === null ? [] : brokenNesting(nesting);
  }

  /** Ask something of an L1's tables without any access by the L1. */
  private looking<T>(ask: () => T): T {
    for (const { memory } of this.l1s.values()) memory.quiet = true;
    const answer = ask();
    for (const { memory } of this.l1s.values()) memory.quiet = false;
    return answer;
  }
}

/** Acts that have nothing to say when they are done. */
function doneOr(result: Result): Result {
  return result.kind === 'ok' ? { kind: 'done' } : result;
}

/**
 * The VMM's address of what an access reached: by the slot, and where a hypervisor's tables in a guest lead elsewhere than its slots, by
 * the address in that guest's memory, which is its VMM's (docs/language.md, "A VM inside a VM").
 *
 * @param at where it lies in the hypervisor's memory
 */
function virtualAddress({ kvm: { guest }, mode }: KvmVcpu, gpa: number | null, at: number | null): number | null {
  const hva = gpa === null ? -1 : guest.hva(gpa);
  if (mode.level === 2 && at !== null && at >= 0 && (hva < 0 || guest.look(gpa!) !== at)) return at;
  return hva < 0 ? null : hva;
}
