/**
 * A shadow page (§5.1.1; mmu_internal.h: struct kvm_mmu_page): a table of 512 sptes with what the hypervisor knows of it.
 * Used for soft MMU, EPT and NPT alike. Its state stands in the journal as {@link Space.shadowPage}:
 *
 *   field 0   role in the low half; 1 in the high half while the page exists
 *   field 1   gfn
 *   field 2   low: bit 0 unsync, 31:1 children with unsync pages; high: 15:0 root_count, 23:16 write flooding,
 *             24 mmu_valid_gen, 25 TDP MMU page
 */
import { high, join, low } from '../../bits';
import { emit } from '../../journal/emit';
import type { WrittenFields } from '../../journal/event-table';
import { ROW_WORDS, type Journal } from '../../journal/journal';
import { Space, SPACES } from '../../journal/spaces';
import { isChange, keyAt, spaceAt, type Rows, type WordMap } from '../../journal/state';
import { Role, accessOf, levelOf, quadrantOf } from './role';

const ENTRIES = 512;
const KEY = SPACES[Space.shadowPage].key;
const EXISTS = 1;
/** Field with flags and counts. */
const STATE = 2;
const UNSYNC = 1;

/** Index of an entry in its table, by its address. */
export function indexOf(spte: number): number {
  return (spte % 4096) / 8;
}

/** Numbers of guest frames in one entry of a level. */
export function framesAt(level: number): number {
  return 512 ** (level - 1);
}

/** Events about a shadow page that say nothing else. */
export type PageEventName =
  | 'kvm_mmu_sync_page'
  | 'kvm_mmu_unsync_page'
  | 'kvm_mmu_prepare_zap_page'
  | 'kvm_mmu_free_shadow_page'
  | 'kvm_sync_page'
  | 'clear_sp_write_flooding_count'
  | 'mmu_free_root_page';

export class ShadowPage {
  /** Addresses of the sptes that point here. */
  readonly parents = new Set<number>();
  /** Per entry, indirect pages only: guest frame shadowed, and the guest's rights to it (shadowed_translation). */
  private readonly gfns: Float64Array | null;
  private readonly accesses: Uint8Array | null;
  /** Bit per entry: an unsync page may lie below (unsync_child_bitmap). */
  private readonly unsyncBitmap: Int32Array | null;
  private currentRole: number;
  private unsyncFlag = false;
  private unsyncCount = 0;
  private roots = 0;
  private flooding = 0;

  /**
   * @param frame of the table, in the memory that the hypervisor runs in
   * @param gfn of the guest table mirrored; of a direct page, first frame mapped
   * @param validGeneration mmu_valid_gen when it was made
   * @param tdpMmu managed by the TDP MMU, outside hash and reverse maps
   * @param memory {@link Space.shadowPage}: whose memory the frame is of
   */
  constructor(
    private readonly journal: Journal,
    readonly frame: number,
    readonly gfn: number,
    role: number,
    readonly validGeneration: number,
    readonly tdpMmu: boolean,
    private readonly memory = 0,
  ) {
    this.currentRole = role;
    const indirect = (role & Role.direct) === 0;
    this.gfns = indirect ? new Float64Array(ENTRIES) : null;
    this.accesses = indirect ? new Uint8Array(ENTRIES) : null;
    this.unsyncBitmap = indirect && levelOf(role) > 1 ? new Int32Array(ENTRIES / 32) : null;
  }

  /** The new page stands in the journal from here on. */
  appear(): void {
    this.got(true);
    this.change(0, this.currentRole, EXISTS);
    this.change(1, low(this.gfn), high(this.gfn));
    this.change(STATE, 0, (this.validGeneration << 24) | (this.tdpMmu ? 1 << 25 : 0));
  }

  get role(): number {
    return this.currentRole;
  }

  get level(): number {
    return levelOf(this.currentRole);
  }

  get access(): number {
    return accessOf(this.currentRole);
  }

  get quadrant(): number {
    return quadrantOf(this.currentRole);
  }

  /** The guest table has 4-byte entries. */
  get narrow(): boolean {
    return (this.currentRole & Role.narrow) !== 0;
  }

  get direct(): boolean {
    return (this.currentRole & Role.direct) !== 0;
  }

  get invalid(): boolean {
    return (this.currentRole & Role.invalid) !== 0;
  }

  /** It mirrors a guest table (sp_has_gptes). */
  get hasGuestEntries(): boolean {
    return (this.currentRole & (Role.direct | Role.passthrough)) === 0;
  }

  /** Address of the table. */
  get address(): number {
    return this.frame * 4096;
  }

  /** Address of an entry. */
  entryAddress(index: number): number {
    return this.frame * 4096 + index * 8;
  }

  invalidate(): void {
    this.change(0, Role.invalid & ~this.currentRole, 0);
    this.currentRole |= Role.invalid;
  }

  /** Guest frame behind an entry (kvm_mmu_page_get_gfn). */
  gfnAt(index: number): number {
    if (this.gfns !== null) return this.gfns[index];
    return this.gfn + index * framesAt(this.level);
  }

  /** The guest's rights behind an entry (kvm_mmu_page_get_access). */
  accessAt(index: number): number {
    return this.accesses !== null ? this.accesses[index] : this.access;
  }

  setTranslation(index: number, gfn: number, access: number): void {
    if (this.gfns === null) return;
    this.gfns[index] = gfn;
    this.accesses![index] = access;
  }

  get unsync(): boolean {
    return this.unsyncFlag;
  }

  set unsync(unsync: boolean) {
    if (unsync === this.unsyncFlag) return;
    this.unsyncFlag = unsync;
    this.change(STATE, UNSYNC, 0);
  }

  /** Is a row the change by which it went out of sync, or came back? */
  unsyncChanged({ words }: Rows, row: number): boolean {
    const about = isChange(words, row) && spaceAt(words, row) === Space.shadowPage && keyAt(words, row) === this.key(STATE);
    return about && (words[row * ROW_WORDS + 3] & UNSYNC) !== 0;
  }

  get unsyncChildren(): number {
    return this.unsyncCount;
  }

  /** @returns whether the entry was not marked before */
  markUnsyncChild(index: number): boolean {
    const bitmap = this.unsyncBitmap;
    if (bitmap === null || (bitmap[index >> 5] & (1 << (index & 31))) !== 0) return false;
    bitmap[index >> 5] |= 1 << (index & 31);
    this.countUnsync(this.unsyncCount + 1);
    return true;
  }

  clearUnsyncChild(index: number): void {
    const bitmap = this.unsyncBitmap;
    if (bitmap === null || (bitmap[index >> 5] & (1 << (index & 31))) === 0) return;
    bitmap[index >> 5] &= ~(1 << (index & 31));
    this.countUnsync(this.unsyncCount - 1);
  }

  hasUnsyncChild(index: number): boolean {
    return this.unsyncBitmap !== null && (this.unsyncBitmap[index >> 5] & (1 << (index & 31))) !== 0;
  }

  /** Register roots of vCPUs that name this page. */
  get rootCount(): number {
    return this.roots;
  }

  set rootCount(count: number) {
    this.change(STATE, 0, (this.roots ^ count) & 0xffff);
    this.roots = count;
  }

  /** Emulated writes since the page was last used (write_flooding_count). */
  get floodingCount(): number {
    return this.flooding;
  }

  /** The page counts as used (clear_sp_write_flooding_count). */
  clearFlooding(): void {
    if (this.flooding === 0) return;
    this.event('clear_sp_write_flooding_count');
    this.floodingCount = 0;
  }

  set floodingCount(count: number) {
    this.change(STATE, 0, ((this.flooding ^ count) & 0xff) << 16);
    this.flooding = count;
  }

  /** The page is no more: its words in the journal become zero. */
  forget(): void {
    const flags = (this.unsyncFlag ? UNSYNC : 0) | (this.unsyncCount << 1);
    const counts = (this.roots & 0xffff) | ((this.flooding & 0xff) << 16) | (this.validGeneration << 24) | (this.tdpMmu ? 1 << 25 : 0);
    this.change(0, this.currentRole, EXISTS);
    this.change(1, low(this.gfn), high(this.gfn));
    this.change(STATE, flags, counts);
  }

  /** The event of a page made or found. */
  got(created: boolean): void {
    emit(this.journal, 'kvm_mmu_get_page', { created, ...this.said() });
  }

  event(name: PageEventName): void {
    emit(this.journal, name, this.said());
  }

  /** What events say of the page. */
  private said(): WrittenFields<'kvm_mmu_sync_page'> {
    return {
      gfn: this.gfn,
      role: this.currentRole,
      spt: this.address,
      root_count: this.roots,
      mmu_valid_gen: this.validGeneration,
      unsync: this.unsyncFlag,
      level: this.level,
    };
  }

  private countUnsync(count: number): void {
    this.change(STATE, (this.unsyncCount ^ count) << 1, 0);
    this.unsyncCount = count;
  }

  private key(field: number): number {
    return KEY.encode({ memory: this.memory, frame: this.frame, field });
  }

  private change(field: number, xorLo: number, xorHi: number): void {
    this.journal.change(Space.shadowPage, this.key(field), xorLo, xorHi);
  }
}

/** A shadow page as the journal tells of it at some point of a run. */
export interface ShadowPageRecord {
  readonly frame: number;
  readonly gfn: number;
  readonly role: number;
  readonly unsync: boolean;
  readonly rootCount: number;
  readonly flooding: number;
  readonly tdpMmu: boolean;
}

/**
 * The shadow page whose table is in a frame, from the words of {@link Space.shadowPage}; null: none.
 *
 * @param memory whose memory the frame is of, as in the key
 */
export function shadowPageAt(words: WordMap, frame: number, memory = 0): ShadowPageRecord | null {
  const [role, gfn, state] = [0, 1, STATE].map((field) => KEY.encode({ memory, frame, field }));
  if (words.hi(role) !== EXISTS) return null;
  const counts = words.hi(state);
  return {
    frame,
    gfn: join(words.lo(gfn), words.hi(gfn)),
    role: words.lo(role),
    unsync: (words.lo(state) & UNSYNC) !== 0,
    rootCount: counts & 0xffff,
    flooding: (counts >>> 16) & 0xff,
    tdpMmu: (counts & (1 << 25)) !== 0,
  };
}
