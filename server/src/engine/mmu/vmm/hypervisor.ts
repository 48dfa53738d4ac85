/**
 * KVM and the VMM of one VM together: slots, host memory behind them, and what both mean for the VM's tables (§4). What user
 * space and the host's kernel do to a VM is done here.
 */
import { hex, PAGE_SIZE, highOf, lowOf } from '../../bits';
import { Actor } from '../../journal/events';
import type { FrameContents, FrameSupply, ZeroPages } from '../../memory/frames';
import { GuestMemory } from '../../memory/guest-memory';
import { HostMemory, type MmuNotifier } from '../../memory/host-memory';
import {
  MEM_LOG_DIRTY_PAGES,
  MEM_READONLY,
  Slots,
  isFailure,
  type Failure,
  type Slot,
  type SlotChange,
  type SlotListener,
} from '../../memory/slots';
import type { HostAct, MemoryImage, SlotConfig } from '../../program';
import type { Result } from '../../result';
import { rearmLogging, startLogging, stopLogging } from '../logging/dirty-logging';
import type { Kvm } from '../pages/kvm';
import { DEAD } from '../vcpu/instruction';
import type { KvmVcpu } from '../vcpu/kvm-vcpu';
import { ensurePmlBuffer } from '../logging/pml';
import { unmapFrames, zapSlot } from '../pages/unmap';
import { changedUnseen } from '../pages/unseen-writes';
import { setMaxPages } from '../pages/page-quota';
import { zapAllFast } from '../pages/zap-all';

interface HypervisorParts {
  readonly kvm: Kvm;
  /** Who it is. */
  readonly actor: Actor;
  readonly frames: FrameSupply;
  readonly contents: FrameContents;
  readonly zeroPages: ZeroPages;
  readonly maxGfn: number;
  /** PML can be used: EPT with A/D, and wanted. */
  readonly pml: boolean;
}

const DONE: Result = { kind: 'done' };

/** Acts of the VMM that ask KVM; the others are its own memory's. */
const IOCTLS: ReadonlySet<HostAct['do']> = new Set([
  'set-slot',
  'delete-slot',
  'move-slot',
  'slot-flags',
  'get-dirty-log',
  'clear-dirty-log',
  'set-nr-mmu-pages',
]);

export class Hypervisor implements SlotListener, MmuNotifier {
  readonly kvm: Kvm;
  readonly guest: GuestMemory;
  readonly vcpus: KvmVcpu[] = [];
  private readonly host: HostMemory;
  private readonly slots: Slots;

  constructor(private readonly parts: HypervisorParts) {
    const { kvm, frames, contents, zeroPages, maxGfn } = parts;
    const { journal } = kvm.trace;
    this.kvm = kvm;
    kvm.trace.emit('kvm_create_vm', { vm: kvm.vm });
    this.host = new HostMemory(journal, kvm.vm, frames, contents, zeroPages);
    this.host.notifier = this;
    this.slots = new Slots(journal, kvm.vm, { maxGfn, dirtyLogInitiallySet: kvm.options.dirtyLogInitiallySet }, this);
    this.guest = new GuestMemory(this.slots, this.host);
    kvm.guest = this.guest;
  }

  /** mmap and KVM_SET_USER_MEMORY_REGION. What KVM refuses is said before host memory that an mmap alone does not take. */
  setSlot({ id, addressSpace, gpa, size, hva, backing, logDirty, readonly }: SlotConfig): Result {
    const flags = (logDirty ? MEM_LOG_DIRTY_PAGES : 0) | (readonly ? MEM_READONLY : 0);
    const slot = id + (addressSpace ?? 0) * 0x1_0000;
    const refusal = this.slots.refusal({ slot, flags, gpa, size, hva });
    if (refusal !== null) return failed(refusal);
    this.kvm.trace.journal.actor = Actor.user;
    const failure = size > 0 ? this.host.map(hva, size, backing) : null;
    return failure !== null ? failed(failure) : this.region(slot, flags, gpa, size, hva);
  }

  /** What the VMM puts into guest memory before it runs. */
  load(images: readonly MemoryImage[]): void {
    const { trace } = this.kvm;
    trace.journal.actor = Actor.user;
    for (const { gpa, words } of images) {
      const event = trace.journal.length;
      trace.emit('vmm_write', { gpa, size: words.length * 8 });
      words.forEach((word, i) => {
        if (word !== 0n) this.write(gpa + i * 8, word, event);
      });
    }
  }

  perform(act: HostAct): Result {
    const { kvm, host } = this;
    kvm.trace.journal.actor = Actor.user;
    if (kvm.dead && IOCTLS.has(act.do)) return DEAD;
    switch (act.do) {
      case 'set-slot':
        return this.setSlot(act.slot);
      case 'delete-slot':
        return this.region(act.id, 0, 0, 0, 0);
      case 'move-slot':
        return this.change(act.id, (slot) => [slot.flags, act.gpa]);
      case 'slot-flags': {
        const flags = (act.logDirty ? MEM_LOG_DIRTY_PAGES : 0) | (act.readonly ? MEM_READONLY : 0);
        return this.change(act.id, (slot) => [flags, slot.gfn * PAGE_SIZE]);
      }
      case 'get-dirty-log':
        return this.getDirtyLog(act.id);
      case 'clear-dirty-log':
        return this.clearDirtyLog(act.id, act.first, act.pages);
      case 'reclaim':
        return this.reclaim(act.hva, act.size);
      case 'protect':
        return failed(host.protect(act.hva, act.size, act.writable));
      case 'split':
        return failed(host.split(act.hva, act.size));
      case 'collapse':
        return failed(host.collapse(act.hva, act.size));
      case 'host-write':
        return this.hostWrite(act.gpa, act.value);
      case 'zap-all':
        kvm.trace.journal.actor = this.parts.actor;
        zapAllFast(kvm);
        return DONE;
      case 'set-nr-mmu-pages':
        kvm.trace.journal.actor = this.parts.actor;
        return setMaxPages(kvm, act.pages) ? DONE : { kind: 'error', errno: 'EINVAL', why: 'fewer than 64 shadow pages' };
    }
  }

  // SlotListener

  /** MMIO sptes of the old generation are stale; when their 19 bits have gone round, all go (kvm_mmu_invalidate_mmio_sptes). */
  generationChanged(): void {
    if (this.kvm.mmioGeneration === 0) zapAllFast(this.kvm);
  }

  /** A slot is about to go: everything of the VM is zapped, or what maps it (kvm_arch_flush_shadow_memslot). */
  flushShadow(slot: Slot): void {
    const { kvm } = this;
    if (kvm.options.slotZapAll || !kvm.rules.slotZapAllIsQuirk) zapAllFast(kvm);
    else zapSlot(kvm, slot);
  }

  commit(change: SlotChange): void {
    const { kvm } = this;
    if (change.change === 'none') return;
    this.updatePml();
    if (change.change === 'create' || change.change === 'delete') {
      if (kvm.requestedPages === 0) setMaxPages(kvm, 0);
      return;
    }
    if (change.change !== 'flags') return;
    const logged = (change.oldFlags & MEM_LOG_DIRTY_PAGES) !== 0;
    const logs = (change.slot.flags & MEM_LOG_DIRTY_PAGES) !== 0;
    if (logs && !logged) startLogging(kvm, change.slot);
    if (!logs && logged) stopLogging(kvm, change.slot);
  }

  /** PML is on as long as some slot logs. */
  private updatePml(): void {
    const { kvm } = this;
    const active = this.parts.pml && this.slots.all().some((slot) => slot.dirtyLog !== null);
    if (active === kvm.pmlActive) return;
    for (const vcpu of this.vcpus) {
      vcpu.kick();
      if (active && !ensurePmlBuffer(kvm, vcpu.parts)) return;
    }
    kvm.pmlActive = active;
  }

  // MmuNotifier

  /** The host is about to change pages: no translation to them may remain (kvm_mmu_notifier_invalidate_range_start). */
  invalidate(start: number, end: number): void {
    const { kvm } = this;
    const { journal } = kvm.trace;
    const { actor } = journal;
    journal.actor = this.parts.actor;
    kvm.trace.emit('kvm_unmap_hva_range', { start, end });
    let flush = false;
    for (const slot of this.slots.all()) {
      const first = Math.max(start, slot.hva);
      const last = Math.min(end, slot.hva + slot.pages * PAGE_SIZE);
      if (first >= last) continue;
      const gfn = slot.gfn + Math.floor((first - slot.hva) / PAGE_SIZE);
      const endGfn = slot.gfn + Math.ceil((last - slot.hva) / PAGE_SIZE);
      flush = unmapFrames(kvm, gfn, endGfn) || flush;
    }
    if (flush) kvm.flushRemoteTlbs();
    journal.actor = actor;
  }

  /** The old entry went with the invalidation before. */
  changed(hva: number): void {
    const { trace, rules } = this.kvm;
    if (!rules.changePteIsNotified) return;
    const { actor } = trace.journal;
    trace.journal.actor = this.parts.actor;
    trace.emit('kvm_set_spte_hva', { hva });
    trace.journal.actor = actor;
  }

  private region(id: number, flags: number, gpa: number, size: number, hva: number): Result {
    this.kvm.trace.journal.actor = this.parts.actor;
    const change = this.slots.set({ slot: id, flags, gpa, size, hva });
    return isFailure(change) ? failed(change) : DONE;
  }

  /** Set a slot again with other flags or elsewhere. */
  private change(id: number, to: (slot: Slot) => readonly [flags: number, gpa: number]): Result {
    const slot = this.slots.byNumber(id);
    if (slot === null) return { kind: 'error', errno: 'EINVAL', why: `there is no slot ${id}` };
    const [flags, gpa] = to(slot);
    return this.region(id, flags, gpa, slot.pages * PAGE_SIZE, slot.hva);
  }

  /** KVM_GET_DIRTY_LOG: what was written since, and its tracking armed again; under manual protection only the former. */
  private getDirtyLog(id: number): Result {
    const { kvm } = this;
    kvm.trace.journal.actor = this.parts.actor;
    const slot = this.slots.logging(id);
    if (isFailure(slot)) return failed(slot);
    if (kvm.pmlActive) for (const vcpu of this.vcpus) vcpu.kick();
    kvm.trace.emit('kvm_get_dirty_log', { slot: id, first: 0, pages: slot.pages, clear: false });
    const pages = kvm.options.dirtyLogInitiallySet ? slot.dirtyLog.dirty() : slot.dirtyLog.take();
    if (!kvm.options.dirtyLogInitiallySet) rearmLogging(kvm, slot, pages);
    return { kind: 'dirty-log', gpas: pages.map((page) => (slot.gfn + page) * PAGE_SIZE) };
  }

  /** KVM_CLEAR_DIRTY_LOG: multiples of 64 pages, or up to the end. */
  private clearDirtyLog(id: number, first: number, pages: number): Result {
    const { kvm } = this;
    kvm.trace.journal.actor = this.parts.actor;
    const slot = this.slots.logging(id);
    if (isFailure(slot)) return failed(slot);
    const toTheEnd = first + pages === slot.pages;
    const whole = first % 64 === 0 && (pages % 64 === 0 || toTheEnd) && first >= 0 && pages >= 0 && first + pages <= slot.pages;
    if (!whole)
      return { kind: 'error', errno: 'EINVAL', why: 'first page and number of pages are multiples of 64, or go up to the end of the slot' };
    if (kvm.pmlActive) for (const vcpu of this.vcpus) vcpu.kick();
    kvm.trace.emit('kvm_get_dirty_log', { slot: id, first, pages, clear: true });
    rearmLogging(kvm, slot, slot.dirtyLog.take(first, pages));
    return DONE;
  }

  /** The pages of a range go with their contents: no shadow page of a table among them hears of that. */
  private reclaim(hva: number, size: number): Result {
    const failure = this.host.reclaim(hva, size);
    if (failure === null) changedUnseen(this.kvm, hva, size);
    return failed(failure);
  }

  private hostWrite(gpa: number, value: bigint): Result {
    const { trace } = this.kvm;
    const event = trace.journal.length;
    trace.emit('vmm_write', { gpa, size: 8 });
    return failed(this.write(gpa, value, event));
  }

  /** The VMM stores an aligned word into the memory behind a slot. @param event row of the event that it is part of */
  private write(gpa: number, value: bigint, event: number): Failure | null {
    const hva = this.guest.hva(gpa);
    if (hva < 0) return { errno: 'EFAULT', why: `${hex(gpa)} is in no slot` };
    const { journal } = this.kvm.trace;
    const failure = this.host.store(hva, lowOf(value), highOf(value), () => journal.goesOn(event));
    if (failure === null) changedUnseen(this.kvm, hva, 8);
    return failure;
  }
}

function failed(failure: Failure | null): Result {
  return failure === null ? DONE : { kind: 'error', errno: failure.errno, why: failure.why };
}
