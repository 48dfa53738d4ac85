/**
 * The machine at a point of a run, rebuilt from the journal: memory that the one walker can walk, registers, slots, host
 * pages, cached translations. Only looked at.
 */
import { join } from '../engine/bits';
import { Journal } from '../engine/journal/journal';
import { Space, SPACES } from '../engine/journal/spaces';
import type { State, WordMap } from '../engine/journal/state';
import { hostAreas, hostPageAt } from '../engine/memory/host-pages';
import type { HostPage } from '../engine/memory/host-pages';
import { PhysicalMemory } from '../engine/memory/physical-memory';
import { slotOf, slotsAt } from '../engine/memory/slot-records';
import type { SlotRecord } from '../engine/memory/slot-records';
import type { HostConfig, MachineConfig } from '../engine/program';
import { Bank, Register, Registers } from '../engine/vcpu/registers';
import { GuestFormats } from '../engine/vcpu/control-registers';
import { cpuidOf } from '../engine/vcpu/guest-cpuid';

const FRAME_BYTES = 4096;

/** One step of a guest-physical address towards the host's memory. */
export interface SlotStep {
  readonly vm: number;
  readonly gpa: number;
  readonly slot: SlotRecord | null;
  readonly hva: number | null;
  readonly page: HostPage | null;
  /** Address one level down: host-physical, or guest-physical of the parent VM. */
  readonly below: number | null;
}

export class MachineState {
  readonly memory: PhysicalMemory;
  readonly host: HostConfig;
  private readonly singles = new Map<number, Map<number, number>>();
  /** Formats of what hardware walks. */
  readonly formats: GuestFormats;
  private readonly walked: readonly GuestFormats[];

  constructor(
    readonly state: State,
    readonly machine: MachineConfig,
  ) {
    this.host = machine.host;
    const quiet = new Journal(0, 0);
    quiet.on = false;
    this.memory = new PhysicalMemory(quiet);
    const words = state.space(Space.memory);
    this.memory.source = { load: (frame, into, at) => loadFrame(words, frame, into, at) };
    const amd = this.host.vendor === 'amd';
    this.formats = new GuestFormats({ features: this.host.features, maxPhyAddr: this.host.maxPhyAddr, amd });
    this.walked = machine.vms.map((vm) => (vm.mmu === 'soft' ? new GuestFormats({ ...cpuidOf(this.host, vm, false), amd }) : this.formats));
  }

  /** Formats of a VM's own tables, for whoever walks them: its hypervisor by the guest's CPUID under soft MMU, else the processor. */
  formatsOf(vm: number): GuestFormats {
    return this.walked[vm];
  }

  /** MAXPHYADDR that CPUID shows to a VM. */
  maxPhyAddrOf(vm: number): number {
    return (this.machine.vms[vm].cpuid ?? this.host).maxPhyAddr;
  }

  /** Words of a space of the state. */
  words(space: Space): WordMap {
    return this.state.space(space);
  }

  /** Number of a vCPU in the machine, over all VMs. */
  vcpuNumber(vm: number, vcpu: number): number {
    return this.machine.vms.slice(0, vm).reduce((sum, each) => sum + each.vcpus.length, vcpu);
  }

  /** Registers that are all 0, to be filled. */
  blankRegisters(number = 0): Registers {
    return new Registers(this.memory.journal, number);
  }

  registers(vm: number, vcpu: number, bank = Bank.own): Registers {
    const number = this.vcpuNumber(vm, vcpu);
    const words = this.words(Space.register);
    const registers = this.blankRegisters(number);
    for (const register of Object.values(Register)) {
      if (typeof register !== 'number') continue;
      const key = SPACES[Space.register].key.encode({ vcpu: number, bank, register });
      registers.set(register, words.lo(key), words.hi(key));
    }
    return registers;
  }

  /** The way of a VM's physical address through its slots, and those of the VMs around it, to the host's memory. */
  slotSteps(vm: number, gpa: number): SlotStep[] {
    const steps: SlotStep[] = [];
    for (let at: number | null = vm, address = gpa; at !== null; at = this.machine.vms[at].parent) {
      const step = this.slotStep(at, address);
      steps.push(step);
      if (step.below === null) break;
      address = step.below;
    }
    return steps;
  }

  private slotStep(vm: number, gpa: number): SlotStep {
    const slot = slotOf(this.words(Space.slot), vm, gpa);
    if (!slot) return { vm, gpa, slot, hva: null, page: null, below: null };
    const hva = slot.hva + (gpa - slot.gpa);
    const page = hostPageAt(this.state, vm, hva);
    const below = page ? page.frame * FRAME_BYTES + (hva % FRAME_BYTES) : null;
    return { vm, gpa, slot, hva, page, below };
  }

  /** Host-physical address behind a VM's physical one; null when there is none. */
  hpaOf(vm: number, gpa: number): number | null {
    const last = this.slotSteps(vm, gpa).at(-1)!;
    return this.machine.vms[last.vm].parent === null ? last.below : null;
  }

  /** Guest-physical address, in the outermost VM that has it, of a byte of the host's memory; null: no guest's memory. */
  gpaOf(hpa: number): { readonly vm: number; readonly gpa: number } | null {
    const frame = Math.floor(hpa / FRAME_BYTES);
    for (let vm = 0; vm < this.machine.vms.length; vm++) {
      if (this.machine.vms[vm].parent !== null) continue;
      const page = this.pageOf(vm, frame);
      if (page === null) continue;
      const hva = page * FRAME_BYTES + (hpa % FRAME_BYTES);
      const slot = slotsAt(this.words(Space.slot), vm).find((each) => hva >= each.hva && hva < each.hva + each.size);
      if (slot) return { vm, gpa: slot.gpa + hva - slot.hva };
    }
    return null;
  }

  /** The same through all VMs that have it, from the outermost inwards. */
  placesOf(hpa: number): { readonly vm: number; readonly gpa: number }[] {
    const outer = this.gpaOf(hpa);
    if (!outer) return [];
    const places = [outer];
    this.machine.vms.forEach(({ parent }, vm) => {
      if (parent !== outer.vm) return;
      const page = this.pageOf(vm, Math.floor(outer.gpa / FRAME_BYTES));
      if (page === null) return;
      const hva = page * FRAME_BYTES + (hpa % FRAME_BYTES);
      const slot = slotsAt(this.words(Space.slot), vm).find((each) => hva >= each.hva && hva < each.hva + each.size);
      if (slot) places.push({ vm, gpa: slot.gpa + hva - slot.hva });
    });
    return places;
  }

  /** Virtual page of a VM's VMM that a host frame is mapped at. */
  private pageOf(vm: number, frame: number): number | null {
    for (const area of hostAreas(this.state, vm)) {
      if (area.frame >= 0 && frame >= area.frame && frame < area.frame + area.pages) return area.start + frame - area.frame;
    }
    return this.singlePages(vm).get(frame) ?? null;
  }

  /** Virtual page by host frame, of pages that were touched one by one. */
  private singlePages(vm: number): ReadonlyMap<number, number> {
    let pages = this.singles.get(vm);
    if (!pages) {
      this.singles.set(vm, (pages = new Map<number, number>()));
      const words = this.words(Space.hostPage);
      for (const key of words.keys()) {
        const { owner, page } = SPACES[Space.hostPage].key.decode(key);
        if (owner !== vm) continue;
        const found = hostPageAt(this.state, owner, page * FRAME_BYTES);
        if (found && !found.zero) pages.set(found.frame, page);
      }
    }
    return pages;
  }

  /** vCPUs of the machine, over all VMs. */
  get vcpus(): number {
    return this.machine.vms.reduce((sum, { vcpus }) => sum + vcpus.length, 0);
  }

  word(hpa: number): bigint {
    return this.words(Space.memory).get(hpa - (hpa % 8));
  }
}

function loadFrame(words: WordMap, frame: number, into: Int32Array, at: number): boolean {
  let any = false;
  for (let i = 0; i < 512; i++) {
    const address = frame * FRAME_BYTES + i * 8;
    const lo = words.lo(address);
    const hi = words.hi(address);
    into[at + 2 * i] = lo;
    into[at + 2 * i + 1] = hi;
    any ||= (lo | hi) !== 0;
  }
  return any;
}

/** Number from the halves that a walker leaves. */
export function addressOf(lo: number, hi: number): number {
  return join(lo, hi & 0xfffff);
}
