/** An L1 VM as the place where a hypervisor runs: its memory, and which frames of it the hypervisor keeps for itself. */
import { PAGE_SIZE } from '../../bits';
import { FrameAllocator } from '../../memory/frames';
import type { VmConfig } from '../../program';
import type { GuestActs } from '../guest/guest-acts';
import type { Kvm } from '../pages/kvm';
import { L1Memory } from './l1-memory';

/** First frames of control structures, and of tables. */
const CONTROL_FRAME = 0x10;
const TABLE_FRAME = 0x20;

export class L1 {
  readonly memory: L1Memory;
  /** For tables. */
  readonly frames = new FrameAllocator(0, 0);
  private readonly controls = new FrameAllocator(0, 0);

  /**
   * @param kvm the hypervisor below
   * @param vcpus of the VM, in order; one at least
   * @param guests VMs inside: their memory is not free
   */
  constructor(
    readonly kvm: Kvm,
    readonly vcpus: readonly GuestActs[],
    config: VmConfig,
    guests: readonly VmConfig[],
  ) {
    this.memory = new L1Memory(kvm, vcpus[0]);
    const used = usedFrames(config, guests);
    for (const slot of config.slots) {
      if (slot.readonly || (slot.addressSpace ?? 0) !== 0) continue;
      const first = slot.gpa / PAGE_SIZE;
      this.give(this.controls, Math.max(first, CONTROL_FRAME), Math.min(first + slot.size / PAGE_SIZE, TABLE_FRAME), used);
      this.give(this.frames, Math.max(first, TABLE_FRAME), first + slot.size / PAGE_SIZE, used);
    }
  }

  /** Guest-physical address for another control structure; 0: L1's memory is full. */
  control(): number {
    const frame = this.controls.allocate(1);
    return Math.max(frame >= 0 ? frame : this.frames.allocate(1), 0) * PAGE_SIZE;
  }

  /** Frame of the zero page of L1's kernel: the last of those for control structures. */
  zeroPage(): number {
    const frame = this.controls.allocate(1, TABLE_FRAME - CONTROL_FRAME, TABLE_FRAME - 1);
    return Math.max(frame >= 0 ? frame : this.frames.allocate(1), 0);
  }

  private give(to: FrameAllocator, first: number, end: number, used: readonly Used[]): void {
    let from = first;
    for (const { start, end: stop } of used) {
      if (stop <= from || start >= end) continue;
      if (start > from) to.release(from, start - from);
      from = Math.max(from, stop);
    }
    if (from < end) to.release(from, end - from);
  }
}

interface Used {
  readonly start: number;
  readonly end: number;
}

/** What the scenario has put into L1's memory, and what L1's VMM gives its guests. Ascending. */
function usedFrames(config: VmConfig, guests: readonly VmConfig[]): Used[] {
  const used: Used[] = [];
  for (const { gpa, words } of config.memory) {
    used.push({ start: Math.floor(gpa / PAGE_SIZE), end: Math.ceil((gpa + words.length * 8) / PAGE_SIZE) });
  }
  for (const { slots } of guests) {
    for (const { hva, size } of slots) used.push({ start: Math.floor(hva / PAGE_SIZE), end: Math.ceil((hva + size) / PAGE_SIZE) });
  }
  return used.sort((a, b) => a.start - b.start);
}
