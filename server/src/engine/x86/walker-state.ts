/**
 * What a walker is told and what it tells: configuration, and results that stay until the next walk. The walking itself is
 * walker.ts's.
 */
import { ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../journal/events';
import { join } from '../bits';
import { NEAR_FRAMES, type PhysicalMemory } from '../memory/physical-memory';
import { FRAME_HIGH, FRAME_LOW, keyOf } from './entries';
import { pageFaultCode } from './fault-codes';
import type { Format } from './formats';
import { Access, GUEST_ALL, HOST_ALL, Policy, Rights, permissionTable } from './permissions';
import { Walk, Walking, type Stage, type WalkListener } from './stage';
import type { EntryCache, TranslationCache, ModificationLog } from './walk-caches';

/** Words of {@link WalkerState.path} a level. */
export const PATH = 8;
/** Places in a level's part of the path. */
export enum At {
  entryLo,
  entryHi,
  valueLo,
  valueHi,
  /** Index of the word in the memory's arena; -1: the entry came from a PDPTE register. */
  place,
  /** Address of the entry in the space behind (as Stage.outLo). */
  outLo,
  outHi,
  /** Rights of the way to the entry in the stage behind. */
  hostRights,
}

/** No frame number. */
const NOWHERE = -1;
/** Bits of an entry's high half that frame numbers from NEAR_FRAMES on have. */
export const FAR = FRAME_HIGH & ~(NEAR_FRAMES / 0x10_0000 - 1);

export abstract class WalkerState {
  // What is walked. Set by `use` or between walks.
  format: Format;
  rootLo = 0;
  rootHi = 0;
  tableAccess = ACCESS_READ | Access.table;
  /** Registers of protection keys. */
  pkru = 0;
  pkrs = 0;
  /** PAE: low and high halves of the four PDPTE registers; null: PDPTEs are read from memory at each walk. */
  pdptes: Int32Array | null = null;
  /** Software walks: error code shown as the walk begins; -1: what the access amounts to. */
  pferr = -1;
  /** Page-modification logging of what becomes dirty here (EPT); null: off. */
  pml: ModificationLog | null = null;
  /** Told of software walks. */
  listener: WalkListener | null = null;
  /** Sets flags for a software walk, in the entry at this address of the space behind; null: the walker does it itself. */
  writes: ((outLo: number, outHi: number, bits: number) => void) | null = null;

  // What the last walk came to. What is said of single entries is of the last walk that failed or was not the processor's.
  status: Walk = Walk.ok;
  /** Level of the leaf, or of the entry at which the walk ended. */
  level = 0;
  /** Level of the first entry of the walk (as the cache may have spared some). */
  firstLevel = 0;
  /** {@link Rights}: guest bits of this format or host bits of EPT; with a stage behind, its host bits after the whole walk. */
  rights = 0;
  keyDenied = false;
  /** The leaf as it was read. */
  leafLo = 0;
  leafHi = 0;
  /** What came in: address and access. */
  inLo = 0;
  inHi = 0;
  access = 0;
  /** Where it led: address in the space of the tables (the guest-physical one for a guest's), and host-physical. */
  hostLo = 0;
  hostHi = 0;
  /** Entries read from memory so far, by all walks of this walker. */
  references = 0;
  /** The access needs flags set that were clear: they are now, or would be in a walk that only looks. */
  flagsMissing = false;
  /** Bit n: flags of the entry of level n were set by the last walk. */
  updated = 0;

  protected readonly path = new Int32Array(6 * PATH);
  protected permitted = permissionTable(0);
  /** Bits 63:32 of an input address that these tables cannot translate. */
  protected beyond = 0;
  /** {@link descend} may try: hardware walks 8-byte entries of 9 index bits from the root. */
  protected plain = false;
  /** Frame number of the root, for {@link descend}; NOWHERE: it does not apply. */
  protected rootFrame = NOWHERE;
  /** The stage behind, when it is tables. */
  protected behind: WalkerState | null = null;
  private nextStage: Stage | null = null;
  protected policyBits = 0;
  protected keysInForce = 0;
  protected behalf: Walking = Walking.hardware;
  protected structures: EntryCache | null = null;
  protected wholes: TranslationCache | null = null;
  /** With a stage behind: what `outLo` and `outHi` are. */
  protected stageLo = 0;
  protected stageHi = 0;

  /**
   * @param stageNumber STAGE_* in table_read and software walk rows
   * @param stage behind these tables; null: they lie in host-physical memory
   */
  constructor(
    readonly memory: PhysicalMemory,
    format: Format,
    public stageNumber: number,
    stage: Stage | null = null,
  ) {
    this.format = format;
    this.stage = stage;
    this.use(format, 0, 0);
  }

  /** As {@link Stage.translate}, when nothing is to be said or done on the way; false: nothing has happened. */
  abstract descend(lo: number, hi: number, access: number): boolean;

  /**
   * May an entry of the tables above, whose address was translated for reading, be written, as memory says? Looks only: nothing is
   * read again for it, and nothing cached. If not, the fields say how it fails.
   */
  abstract mayWrite(lo: number, hi: number): boolean;

  /** Walk tables of this format from this root (address bits 51:5 or 51:12; others are ignored). */
  use(format: Format, rootLo: number, rootHi: number): void {
    this.format = format;
    this.rootLo = rootLo & (format.pae ? ~31 : FRAME_LOW);
    this.rootHi = rootHi & FRAME_HIGH;
    const bits = format.inputBits;
    this.beyond = bits >= 64 ? 0 : bits <= 32 ? -1 : -1 << (bits - 32);
    this.tableAccess = (format.tableWrites ? ACCESS_WRITE : ACCESS_READ) | Access.table;
    this.setPlain();
  }

  /** What the addresses of these tables, and those that they give, go through; null: they are host-physical. */
  get stage(): Stage | null {
    return this.nextStage;
  }
  set stage(stage: Stage | null) {
    this.nextStage = stage;
    this.behind = stage instanceof WalkerState ? stage : null;
    this.setPlain();
  }

  /** {@link Policy} bits; of the guest for its tables, the host's NXE for nested tables, none for EPT. */
  get policy(): number {
    return this.policyBits;
  }
  set policy(policy: number) {
    this.policyBits = policy;
    this.permitted = permissionTable(policy);
  }

  /** Protection keys in force (`Keys`). */
  get keys(): number {
    return this.keysInForce;
  }
  set keys(keys: number) {
    this.keysInForce = keys;
    this.setPlain();
  }

  get walking(): Walking {
    return this.behalf;
  }
  set walking(walking: Walking) {
    this.behalf = walking;
    this.setPlain();
  }

  /** Paging-structure cache for these tables; null: none. */
  get cache(): EntryCache | null {
    return this.structures;
  }
  set cache(cache: EntryCache | null) {
    this.structures = cache;
    this.setPlain();
  }

  /** Cache of whole translations by these tables (guest-physical mappings); null: none. Only without a stage behind. */
  get mappings(): TranslationCache | null {
    return this.wholes;
  }
  set mappings(mappings: TranslationCache | null) {
    this.wholes = mappings;
    this.setPlain();
  }

  protected setPlain(): void {
    const { format } = this;
    this.plain =
      this.behalf === Walking.hardware &&
      !format.pae &&
      !format.narrow &&
      this.keysInForce === 0 &&
      this.structures === null &&
      this.wholes === null &&
      (this.nextStage === null || this.behind !== null);
    this.rootFrame = this.plain && (this.rootHi & FAR) === 0 ? (this.rootHi << 20) | (this.rootLo >>> 12) : NOWHERE;
  }

  get outLo(): number {
    return this.stage === null ? this.hostLo : this.stageLo;
  }

  get outHi(): number {
    return this.stage === null ? this.hostHi : this.stageHi;
  }

  get hostRights(): number {
    const { rights } = this;
    return this.stage === null && !this.format.ept
      ? this.asHostRights(rights) | (rights & Rights.dirty)
      : rights & (HOST_ALL | Rights.dirty);
  }

  /** log2 of the size of the page that the last walk found: 12, 21, 22 or 30. */
  get pageShift(): number {
    return shiftOf(this.format, this.level);
  }

  /** Protection key of the leaf. */
  get key(): number {
    return keyOf(this.leafHi);
  }

  /** The leaf is global (whether that counts is CR4.PGE's matter). */
  get global(): boolean {
    return (this.leafLo & this.format.global) !== 0;
  }

  /** Address of the entry that the last walk used at a level, in the space of the tables. */
  entryAddress(level: number): number {
    return join(this.path[level * PATH + At.entryLo], this.path[level * PATH + At.entryHi]);
  }

  /** The entry as it was read, before its flags were set. */
  entryLo(level: number): number {
    return this.path[level * PATH + At.valueLo];
  }

  entryHi(level: number): number {
    return this.path[level * PATH + At.valueHi];
  }

  /** Host-physical address of the word that the entry lies in; -1: it came from a PDPTE register, or no memory is there. */
  entryHost(level: number): number {
    const at = this.path[level * PATH + At.place];
    return at < 1024 ? -1 : this.memory.addressAt(at);
  }

  /** The last walk could not read the entry of a level: its table lies where there is no memory. */
  unreadable(level: number): boolean {
    return this.path[level * PATH + At.place] < 0 && !(this.format.pae && level === 3 && this.pdptes !== null);
  }

  /** `Rights` of the entries down to a level taken together, as far as the last walk went. */
  rightsDownTo(level: number): number {
    let all = -1;
    let any = 0;
    for (let n = this.firstLevel; n >= level; n--) {
      if (this.format.pae && n === 3) continue;
      all &= this.entryLo(n);
      any |= this.entryHi(n);
    }
    return this.rightsOf(all, any);
  }

  /** #PF error code of the last walk, which failed (as a first or nested stage; §2.7). */
  get errorCode(): number {
    return pageFaultCode(this.status, this.effective(this.access), this.policy, this.keyDenied);
  }

  protected rightsOf(all: number, any: number): number {
    if (this.format.ept === true) return GUEST_ALL | ((all & 7) << 3);
    return ((all >>> 1) & 3) | ((any >>> 31) << 2) | HOST_ALL;
  }

  /** Rights of ordinary entries as a second stage has them. */
  protected asHostRights(rights: number): number {
    const executable = (rights & Rights.noExecute) === 0 || (this.policy & Policy.nxe) === 0;
    const readable = (rights & Rights.user) !== 0 || !this.format.userOnly;
    return (
      (readable ? Rights.hostRead : 0) | ((rights & Rights.write) !== 0 ? Rights.hostWrite : 0) | (executable ? Rights.hostExecute : 0)
    );
  }

  /** The access as these tables see it: nested tables of AMD see user accesses only (§3.12). */
  protected effective(access: number): number {
    return this.format.userOnly === true ? (access & ~ACCESS_IMPLICIT) | ACCESS_USER : access;
  }
}

/** log2 of the size of the page that a leaf of a level maps. */
export function shiftOf(format: Format, level: number): number {
  return level === 1 ? 12 : level === 3 ? 30 : format.narrow ? 22 : 21;
}
