/**
 * Memory slots of a VM: KVM_SET_USER_MEMORY_REGION with its checks in KVM's order (§4.1; kvm_main.c:
 * __kvm_set_memory_region), the generation (§4.2), and the way from a guest frame to its slot (§4.3).
 */
import { PAGE_SIZE } from '../bits';
import { emit } from '../journal/emit';
import { MemslotChange } from '../journal/enumerations';
import type { Journal } from '../journal/journal';
import { DirtyLog } from './dirty-log';
import { pagesOf } from './host-pages';
import { ADDRESS_SPACES, recordGeneration, recordSlot } from './slot-records';

export const MEM_LOG_DIRTY_PAGES = 1;
export const MEM_READONLY = 2;
/** KVM_USER_MEM_SLOTS: SHRT_MAX less 3 internal slots. */
const USER_MEM_SLOTS = 32764;
const MAX_PAGES = 2 ** 31 - 1;
/** Below this lies user space (4-level host). */
const USER_SPACE_END = 2 ** 47 - PAGE_SIZE;

/** KVM_SET_USER_MEMORY_REGION's argument. */
export interface Region {
  /** Bits 15:0 id, 31:16 address space. */
  readonly slot: number;
  readonly flags: number;
  readonly gpa: number;
  /** Bytes; 0 deletes. */
  readonly size: number;
  readonly hva: number;
}

/** An ioctl that failed. */
export interface Failure {
  readonly errno: string;
  readonly why: string;
  /** What of the argument is to blame, when it is one thing. */
  readonly about?: keyof Region;
}

export class Slot {
  /** Deletion or a move is in progress: not visible, faults retry. */
  invalid = false;
  /** Null: the slot does not log. */
  dirtyLog: DirtyLog | null = null;

  constructor(
    /** Bits 15:0 id, 31:16 address space. */
    readonly id: number,
    /** First guest frame, and their number. */
    readonly gfn: number,
    readonly pages: number,
    readonly hva: number,
    public flags: number,
  ) {}

  get readonly(): boolean {
    return (this.flags & MEM_READONLY) !== 0;
  }

  get addressSpace(): number {
    return this.id >>> 16;
  }

  contains(gfn: number): boolean {
    return gfn >= this.gfn && gfn < this.gfn + this.pages;
  }

  /** Virtual address of the VMM behind a guest frame of the slot. */
  hvaOf(gfn: number): number {
    return this.hva + (gfn - this.gfn) * PAGE_SIZE;
  }

  /**
   * May a page of a level around this frame be mapped as one, as far as the slot goes (§4.6 condition 2; x86.c:
   * kvm_alloc_memslot_metadata)? Its block lies in the slot, and guest and virtual addresses are congruent modulo its size.
   */
  fits(gfn: number, level: number): boolean {
    const pages = pagesOf(level);
    const block = gfn - (gfn % pages);
    return block >= this.gfn && block + pages <= this.gfn + this.pages && (this.hva / PAGE_SIZE - this.gfn) % pages === 0;
  }
}

export type SlotChange =
  | { readonly change: 'none'; readonly slot: Slot }
  | { readonly change: 'create'; readonly slot: Slot }
  | { readonly change: 'delete'; readonly old: Slot }
  | { readonly change: 'move'; readonly old: Slot; readonly slot: Slot }
  | { readonly change: 'flags'; readonly slot: Slot; readonly oldFlags: number };

/** What a hypervisor does when slots change, in KVM's order. */
export interface SlotListener {
  /** The active slots were exchanged: the generation is new (kvm_arch_memslots_updated: MMIO sptes of the old one are stale). */
  generationChanged(addressSpace: number): void;
  /** The slot is INVALID and about to go: zap what maps it (kvm_arch_flush_shadow_memslot). */
  flushShadow(slot: Slot): void;
  /** Done (kvm_arch_commit_memory_region): logging switched on or off asks for protection. */
  commit(change: SlotChange): void;
}

interface SlotOptions {
  /** Highest guest frame (kvm_mmu_max_gfn): MAXPHYADDR with TDP, else 52 bits. */
  readonly maxGfn: number;
  readonly dirtyLogInitiallySet: boolean;
}

export class Slots {
  private readonly byId = new Map<number, Slot>();
  /** By address space, by first frame. */
  private readonly ordered: Slot[][] = [[], []];
  private readonly generations = [0, 1];
  private last: Slot | null = null;

  constructor(
    private readonly journal: Journal,
    readonly vm: number,
    private readonly options: SlotOptions,
    private readonly listener: SlotListener,
  ) {
    recordGeneration(journal, vm, 1, 0, 1);
  }

  /** Generation of an address space's slots; bit 63 (update in progress) is never seen from outside. */
  generation(addressSpace = 0): number {
    return this.generations[addressSpace];
  }

  /** The slot of a guest frame, INVALID ones included (gfn_to_memslot); null: MMIO. */
  find(gfn: number, addressSpace = 0): Slot | null {
    const last = this.last;
    if (last !== null && last.contains(gfn) && last.addressSpace === addressSpace) return last;
    const slots = this.ordered[addressSpace];
    let from = 0;
    let to = slots.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (slots[middle].gfn <= gfn) from = middle + 1;
      else to = middle;
    }
    const slot = from > 0 ? slots[from - 1] : undefined;
    if (slot === undefined || !slot.contains(gfn)) return null;
    return (this.last = slot);
  }

  /** A visible slot has this frame (kvm_is_visible_gfn). */
  visible(gfn: number, addressSpace = 0): boolean {
    const slot = this.find(gfn, addressSpace);
    return slot !== null && !slot.invalid;
  }

  byNumber(id: number): Slot | null {
    return this.byId.get(id) ?? null;
  }

  /** Slots of an address space, by guest frame. */
  all(addressSpace = 0): readonly Slot[] {
    return this.ordered[addressSpace];
  }

  /** Pages of all slots (the default limit of shadow pages goes by it). */
  get pages(): number {
    let sum = 0;
    for (const slot of this.byId.values()) sum += slot.pages;
    return sum;
  }

  /** KVM_SET_USER_MEMORY_REGION. */
  set(region: Region): SlotChange | Failure {
    const refusal = this.refusal(region);
    if (refusal) return refusal;
    const old = this.byNumber(region.slot);
    if (!old) return this.insert(region, null);
    if (region.size === 0) return this.delete(old);
    if (old.gfn * PAGE_SIZE !== region.gpa) return this.insert(region, old);
    if (old.flags !== region.flags) return this.setFlags(old, region.flags);
    return { change: 'none', slot: old };
  }

  /** Why {@link set} refuses this, in KVM's order; null: it does not. */
  refusal(region: Region): Failure | null {
    const bad = badRegion(region);
    if (bad) return bad;
    const old = this.byNumber(region.slot);
    if (region.size === 0) return old ? null : invalid(`there is no slot ${region.slot & 0xffff} to delete`);
    if (old) {
      if (old.hva !== region.hva) return invalid('a slot keeps its userspace_addr: delete it and create another', 'hva');
      if (old.pages * PAGE_SIZE !== region.size) return invalid('a slot cannot be resized: delete it and create another', 'size');
      if (((old.flags ^ region.flags) & MEM_READONLY) !== 0)
        return invalid('KVM_MEM_READONLY of a slot cannot change: delete it and create another', 'flags');
      if (old.gfn * PAGE_SIZE === region.gpa) return null;
    }
    const first = region.gpa / PAGE_SIZE;
    const end = first + region.size / PAGE_SIZE;
    const other = this.overlapping(first, end, region.slot >>> 16, old);
    if (other) return { errno: 'EEXIST', why: `guest-physical addresses overlap with slot ${other.id & 0xffff}`, about: 'gpa' };
    return end - 1 > this.options.maxGfn ? invalid('the slot ends above the highest guest-physical address', 'size') : null;
  }

  /** The slot of which KVM_GET_DIRTY_LOG or KVM_CLEAR_DIRTY_LOG speaks. */
  logging(id: number): (Slot & { dirtyLog: DirtyLog }) | Failure {
    if (!Number.isInteger(id) || id < 0 || (id & 0xffff) >= USER_MEM_SLOTS || id >>> 16 >= ADDRESS_SPACES) {
      return invalid(`slot number ${id} is out of range`);
    }
    const slot = this.byNumber(id);
    if (!slot) return { errno: 'ENOENT', why: `there is no slot ${id}` };
    if (!hasLog(slot)) return { errno: 'ENOENT', why: `slot ${id} does not log dirty pages` };
    return slot;
  }

  private delete(old: Slot): SlotChange {
    this.invalidate(old);
    this.note(old, MemslotChange.delete);
    old.dirtyLog?.drop();
    old.dirtyLog = null;
    this.remove(old);
    this.bump(old.addressSpace);
    return this.committed({ change: 'delete', old });
  }

  private insert(region: Region, old: Slot | null): SlotChange {
    const slot = new Slot(region.slot, region.gpa / PAGE_SIZE, region.size / PAGE_SIZE, region.hva, region.flags);
    if (old) this.invalidate(old);
    this.note(slot, old ? MemslotChange.move : MemslotChange.create);
    if (old) this.remove(old);
    slot.dirtyLog = old?.dirtyLog ?? null;
    this.switchLog(slot);
    this.add(slot);
    this.bump(slot.addressSpace);
    return this.committed(old ? { change: 'move', old, slot } : { change: 'create', slot });
  }

  private setFlags(slot: Slot, flags: number): SlotChange {
    const oldFlags = slot.flags;
    this.note(slot, MemslotChange.flags);
    recordSlot(this.journal, this.vm, slot, () => (slot.flags = flags));
    this.switchLog(slot);
    this.bump(slot.addressSpace);
    return this.committed({ change: 'flags', slot, oldFlags });
  }

  /** The log that the flags ask for; one that is there stays. */
  private switchLog(slot: Slot): void {
    if ((slot.flags & MEM_LOG_DIRTY_PAGES) === 0) {
      slot.dirtyLog?.drop();
      slot.dirtyLog = null;
      return;
    }
    if (slot.dirtyLog !== null) return;
    slot.dirtyLog = new DirtyLog(this.journal, this.vm, slot.addressSpace, slot.id & 0xffff, slot.pages);
    if (this.options.dirtyLogInitiallySet) slot.dirtyLog.setAll();
  }

  /** First exchange of a deletion or move: the slot is seen as INVALID, and what maps it goes. */
  private invalidate(slot: Slot): void {
    this.note(slot, MemslotChange.invalidate);
    recordSlot(this.journal, this.vm, slot, () => (slot.invalid = true));
    this.bump(slot.addressSpace);
    this.listener.flushShadow(slot);
  }

  private note({ id, gfn, pages, hva }: Slot, change: MemslotChange): void {
    emit(this.journal, 'kvm_set_memslot', { change, slot: id, gpa: gfn * PAGE_SIZE, size: pages * PAGE_SIZE, hva });
  }

  private add(slot: Slot): void {
    recordSlot(
      this.journal,
      this.vm,
      slot,
      () => {
        this.byId.set(slot.id, slot);
        const slots = this.ordered[slot.addressSpace];
        const at = slots.findIndex((each) => each.gfn > slot.gfn);
        slots.splice(at < 0 ? slots.length : at, 0, slot);
      },
      'add',
    );
  }

  private remove(slot: Slot): void {
    recordSlot(
      this.journal,
      this.vm,
      slot,
      () => {
        this.byId.delete(slot.id);
        const slots = this.ordered[slot.addressSpace];
        slots.splice(slots.indexOf(slot), 1);
        this.last = null;
      },
      'remove',
    );
  }

  private bump(addressSpace: number): void {
    const old = this.generations[addressSpace];
    this.generations[addressSpace] = old + ADDRESS_SPACES;
    recordGeneration(this.journal, this.vm, addressSpace, old, old + ADDRESS_SPACES);
    this.listener.generationChanged(addressSpace);
  }

  private committed(change: SlotChange): SlotChange {
    this.listener.commit(change);
    return change;
  }

  /** A slot other than `except` that has one of the frames [first, end). */
  private overlapping(first: number, end: number, addressSpace: number, except: Slot | null): Slot | null {
    for (const other of this.ordered[addressSpace]) {
      if (other !== except && other.gfn < end && first < other.gfn + other.pages) return other;
    }
    return null;
  }
}

export function isFailure(outcome: object): outcome is Failure {
  return 'errno' in outcome;
}

function hasLog(slot: Slot): slot is Slot & { dirtyLog: DirtyLog } {
  return slot.dirtyLog !== null;
}

function invalid(why: string, about?: keyof Region): Failure {
  return { errno: 'EINVAL', why, ...(about ? { about } : {}) };
}

/** Checks that need no other slot, in KVM's order. */
function badRegion({ slot, flags, gpa, size, hva }: Region): Failure | null {
  if ((flags & ~(MEM_LOG_DIRTY_PAGES | MEM_READONLY)) !== 0) return invalid('unknown flags', 'flags');
  if (!Number.isInteger(slot) || slot < 0 || (slot & 0xffff) >= USER_MEM_SLOTS)
    return invalid(`slot ids are 0 to ${USER_MEM_SLOTS - 1}`, 'slot');
  if (!aligned(size)) return invalid('memory_size is not a multiple of 4K', 'size');
  if (!aligned(gpa)) return invalid('guest_phys_addr is not a multiple of 4K', 'gpa');
  if (!aligned(hva)) return invalid('userspace_addr is not a multiple of 4K', 'hva');
  if (hva + size > USER_SPACE_END) return invalid('userspace_addr is not in user space (below 0x7ffffffff000)', 'hva');
  if (slot >= ADDRESS_SPACES * 0x1_0000) return invalid('address spaces are 0 and 1', 'slot');
  if (gpa + size >= 2 ** 64) return invalid('guest_phys_addr + memory_size wraps around', 'size');
  if (size / PAGE_SIZE > MAX_PAGES) return invalid('a slot has at most 2^31 - 1 pages', 'size');
  return null;
}

function aligned(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value % PAGE_SIZE === 0;
}
