/**
 * One processor: translates what runs on it, by the tables that its context names, through its TLB, and says what came of it: a
 * host-physical address, a fault for the guest, or a VM exit (§2, §3).
 *
 * Results stay in fields until the next access. An access takes no objects, closures or bigints.
 */
import { join } from '../bits';
import { Structure } from '../journal/enumerations';
import { Kind, STAGE_GUEST, STAGE_SECOND } from '../journal/events';
import type { Journal } from '../journal/journal';
import type { PhysicalMemory } from '../memory/physical-memory';
import type { TlbConfig } from '../program';
import { FRAME_HIGH, FRAME_LOW } from '../x86/entries';
import { eptQualification, exitInfo1High } from '../x86/fault-codes';
import { pagingFormat } from '../x86/formats';
import { ACCESS_RIGHTS_MASK, GUEST_ALL, HOST_ALL, Rights, accessMasks, keyDenies, permissionTable } from '../x86/permissions';
import { Walk, Walking } from '../x86/stage';
import { Walker } from '../x86/walker';
import { Context } from './processor-context';
import { Invalidations } from './invalidations';
import { Staleness } from './staleness';
import { NO_TAG } from './tags';
import { Tlb, upperValue } from './tlb';
import {
  CLASS_SHIFTS,
  GLOBAL_LINE,
  LINE,
  LINE_SHIFT,
  PageClass,
  QUICK_WAYS,
  RIGHTS_MASK,
  TAG_MASK,
  Word,
  classOf,
  hitBy,
  lineKey,
  type TlbArray,
} from './tlb-array';

/** What an access came to. */
export enum Outcome {
  ok = 0,
  /** #PF: `errorCode`; CR2 is the address. */
  pageFault = 1,
  /** #GP(0): the address is not canonical. */
  generalProtection = 2,
  /** VM exits: `gpa`, and `qualification` or `exitInfo1`. */
  eptViolation = 3,
  eptMisconfig = 4,
  nestedPageFault = 5,
  pmlFull = 6,
  /** A hypervisor below has carried out the instruction itself; not of a processor, see mmu/vcpu/cpu.ts. */
  carriedOut = 7,
}

const PLACEHOLDER = pagingFormat({ mode: '4-level', nxe: true, pse: true, pse36: true, page1G: true, maxPhyAddr: 52, amd: false });

/** {@link Processor.at}: as `first` has it. */
const WALKED = -2;

export class Processor {
  // What the last access came to.
  outcome: Outcome = Outcome.ok;
  /** Host-physical address, when ok. */
  hostLo = 0;
  hostHi = 0;
  /** #PF error code. */
  errorCode = 0;
  /** EPT violation. */
  qualification = 0;
  /** Nested page fault: EXITINFO1. */
  exitInfo1Lo = 0;
  exitInfo1Hi = 0;
  /** Guest-physical address of an exit. */
  exitGpaLo = 0;
  exitGpaHi = 0;

  // Counts.
  /** Accesses that L1 did not serve, and of those: served by L2, walked (a walk that fails too). */
  l1Misses = 0;
  l2Hits = 0;
  walks = 0;

  readonly tlb: Tlb;
  /** Walkers of the two stages; the first one's `stage` is the second, when there is one. */
  readonly first: Walker;
  readonly second: Walker;
  readonly invalidations: Invalidations;

  private context = new Context();
  private hasFirst = false;
  private hasSecond = false;
  private tlbOn: boolean;
  private readonly staleness: Staleness;
  // Of the L1 4K array, for the hot path.
  private readonly journal: Journal;
  private readonly l1: TlbArray;
  private readonly l1Words: Int32Array;
  private readonly l1Sets: number;
  private readonly l1SetWords: number;
  private tag = NO_TAG;
  /** `tag`, or NO_TAG when protection keys have to be asked at each access. */
  private quickTag = NO_TAG;
  private globalTag = 0;
  private permitted = permissionTable(0);
  private keys = 0;
  /** Bits of a canonical linear address; 32 outside 64-bit mode. */
  private addressBits = 32;
  /** First word of the line of L1's 4K part that served the last access; WALKED: the walk of `first` did; -1: `origin` has the address. */
  private at = -1;
  private originLo = 0;
  private originHi = 0;

  /**
   * @param amd APM's rules where they differ from the SDM's
   * @param number of the processor in the machine, for journal keys
   */
  constructor(
    readonly memory: PhysicalMemory,
    readonly amd: boolean,
    tlb: TlbConfig,
    number = 0,
  ) {
    const journal = memory.journal;
    this.journal = journal;
    this.tlbOn = tlb.on;
    this.tlb = new Tlb(journal, tlb, number);
    this.second = new Walker(memory, PLACEHOLDER, STAGE_SECOND);
    this.first = new Walker(memory, PLACEHOLDER, STAGE_GUEST);
    this.first.cache = this.tlb.structures;
    this.second.cache = this.tlb.secondStructures;
    this.second.mappings = this.tlb.guestPhysical;
    this.invalidations = new Invalidations(this.tlb, journal, amd);
    this.staleness = new Staleness(memory, PLACEHOLDER);
    this.l1 = this.tlb.l1;
    this.l1Words = this.l1.words;
    this.l1Sets = this.l1.sets - 1;
    this.l1SetWords = this.l1.ways * LINE;
    this.enter(this.context);
  }

  /** Run under this context from now on; invalidates nothing. Also after a change of its fields. */
  enter(context: Context): void {
    this.context = context;
    const { first, second } = this;
    this.hasFirst = context.first !== null;
    this.hasSecond = context.second !== null;
    second.use(context.second ?? PLACEHOLDER, context.secondRootLo, context.secondRootHi);
    second.policy = context.secondPolicy;
    second.pml = context.pml;
    first.use(context.first ?? PLACEHOLDER, context.rootLo, context.rootHi);
    first.stageNumber = context.firstStage;
    first.stage = this.hasSecond ? second : null;
    first.pdptes = context.pdptes;
    first.policy = this.hasFirst ? context.policy : 0;
    first.keys = this.hasFirst ? context.keys : 0;
    first.pkru = context.pkru;
    first.pkrs = context.pkrs;
    this.keys = first.keys;
    this.permitted = permissionTable(first.policy);
    this.l1.setMasks(accessMasks(first.policy));
    const levels = context.first?.levels ?? 0;
    this.addressBits = this.invalidations.addressBits = levels === 5 ? 57 : levels === 4 ? 48 : 32;
    if (this.tlbOn) this.setTags(context);
    this.staleness.use(this.hasFirst ? first : null, this.hasSecond ? second : null);
  }

  private setTags(context: Context): void {
    const { tlb } = this;
    const root = this.hasSecond ? join(this.second.rootLo, this.second.rootHi) / 4096 : -1;
    const { vpid, pcid } = context;
    const tag = tlb.tags.number({ vpid, pcid, root, global: false, guestPhysical: false });
    const globalTag = tlb.tags.number({ vpid, pcid: 0, root, global: true, guestPhysical: false });
    const physical = this.hasSecond ? tlb.tags.number({ vpid: this.amd ? vpid : 0, pcid: 0, root, global: false, guestPhysical: true }) : 0;
    if (tag === 0 || globalTag === 0 || (this.hasSecond && physical === 0)) {
      // Every tag number is taken: a processor may forget all at any time.
      this.invalidations.everything();
      tlb.tags.clear();
      this.setTags(context);
      return;
    }
    this.tag = tag;
    this.quickTag = this.keys === 0 ? tag : NO_TAG;
    this.globalTag = globalTag;
    if (tlb.structures !== null) tlb.structures.tag = tag;
    if (tlb.secondStructures !== null) tlb.secondStructures.tag = physical;
    if (tlb.guestPhysical !== null) tlb.guestPhysical.tag = physical;
    this.invalidations.vpid = vpid;
    this.invalidations.pcid = pcid;
    this.invalidations.root = root;
  }

  /** Host-physical address that the last access reached. */
  get host(): number {
    return join(this.hostLo, this.hostHi);
  }

  /** In the memory of the hypervisor that runs on it. */
  get reached(): number {
    return this.host;
  }

  /** Guest-physical address that the last access reached (as cached, when the TLB served it). Under shadow tables: host-physical. */
  get gpa(): number {
    if (this.at === WALKED) return join(this.first.outLo, this.first.outHi);
    if (this.at < 0) return join(this.originLo, this.originHi);
    const line = this.at >> LINE_SHIFT;
    return join(this.l1.originLo(line) | (this.hostLo & 0xfff), this.l1.originHi(line));
  }

  /** Guest-physical address that the last exit reports. */
  get exitGpa(): number {
    return join(this.exitGpaLo, this.exitGpaHi);
  }

  /** Entries read from memory so far. */
  get references(): number {
    return this.first.references + this.second.references;
  }

  /**
   * Translate a linear address for an access that does not cross a page. The quick look into L1 is all that stands here: less
   * than 460 bytes of bytecode, so that V8 inlines it.
   *
   * @param access ACCESS_* bits and `Access.ac`
   * @returns {@link Outcome}
   */
  access(lo: number, hi: number, access: number): Outcome {
    const words = this.l1Words;
    const key = (lo & FRAME_LOW) | this.quickTag;
    // Four ways; where there are fewer, a line of another set cannot have this key.
    let at = Math.imul((lo >>> 12) & this.l1Sets, this.l1SetWords);
    if (words[at] !== key || words[(at + 1) | 0] !== hi) {
      at = (at + LINE) | 0;
      if (words[at] !== key || words[(at + 1) | 0] !== hi) {
        at = (at + LINE) | 0;
        if (words[at] !== key || words[(at + 1) | 0] !== hi) {
          at = (at + LINE) | 0;
          if (words[at] !== key || words[(at + 1) | 0] !== hi) return this.miss(lo, hi, access);
        }
      }
    }
    if (((words[(at + Word.allows) | 0] >>> access) & 1) === 0) return this.miss(lo, hi, access);
    if (at !== this.at) {
      // Else it is the line used last already.
      const { l1 } = this;
      words[(at + Word.used) | 0] = l1.clock = (l1.clock + 1) | 0;
      this.at = at;
    }
    this.hostLo = (words[(at + Word.value) | 0] & FRAME_LOW) | (lo & 0xfff);
    this.hostHi = words[(at + Word.value + 1) | 0] & FRAME_HIGH;
    this.outcome = Outcome.ok;
    if (this.journal.on === true) this.noteQuickHit(at, lo, hi);
    return Outcome.ok;
  }

  /** What the quick look into L1 does not serve. */
  private miss(lo: number, hi: number, access: number): Outcome {
    this.at = -1;
    const { addressBits } = this;
    if (addressBits === 32) hi = 0;
    else {
      const sign = addressBits === 48 ? hi >> 15 : hi >> 24;
      if (sign !== 0 && sign !== -1) return (this.outcome = Outcome.generalProtection);
    }
    if (this.tlbOn === true && this.probe(lo, hi, access) === true) return (this.outcome = Outcome.ok);
    this.l1Misses++;
    return (this.outcome = this.walk(lo, hi, access));
  }

  private probe(lo: number, hi: number, access: number): boolean {
    const { tlb, tag } = this;
    const { l1, l2, l1Page2M, l1Page1G } = tlb;
    if (this.quickTag !== tag || l1.ways > QUICK_WAYS) {
      const line = l1.find(l1.setOf(lo, hi, 12), lineKey(lo, PageClass.page4K, tag), hi);
      if (line >= 0 && this.serve(l1, line, PageClass.page4K, lo, hi, access, Structure.l1)) return true;
    }
    if (l1Page2M.used > 0) {
      const line = l1Page2M.find(l1Page2M.setOf(lo, hi, 21), lineKey(lo, PageClass.page2M, tag), hi);
      if (line >= 0 && this.serve(l1Page2M, line, PageClass.page2M, lo, hi, access, Structure.l1)) return true;
    }
    if (l1Page1G.used > 0) {
      const line = l1Page1G.find(l1Page1G.setOf(lo, hi, 30), lineKey(lo, PageClass.page1G, tag), hi);
      if (line >= 0 && this.serve(l1Page1G, line, PageClass.page1G, lo, hi, access, Structure.l1)) return true;
    }
    if ((l2.classes & 1) !== 0 && this.probeL2(PageClass.page4K, 12, lo, hi, access)) return true;
    return (l2.classes & 2) !== 0 && this.probeL2(PageClass.page2M, 21, lo, hi, access);
  }

  private probeL2(pageClass: PageClass, shift: number, lo: number, hi: number, access: number): boolean {
    const { l2 } = this.tlb;
    const set = l2.setOf(lo, hi, shift);
    let line = l2.find(set, lineKey(lo, pageClass, this.tag), hi);
    if (line < 0 && this.context.globalPages) line = l2.find(set, lineKey(lo, pageClass, this.globalTag), hi);
    if (line < 0 || !this.serve(l2, line, pageClass, lo, hi, access, Structure.l2)) return false;
    this.l1Misses++;
    this.l2Hits++;
    this.tlb.promote(lo, hi, this.tag, pageClass, line);
    return true;
  }

  /** Serve the access by a line, if that allows it as it stands. */
  private serve(
    array: TlbArray,
    line: number,
    pageClass: PageClass,
    lo: number,
    hi: number,
    access: number,
    structure: Structure,
  ): boolean {
    const frame = array.frame(line);
    const frameHi = array.frameHi(line);
    const rights = frame & RIGHTS_MASK;
    if (this.permitted[((access & ACCESS_RIGHTS_MASK) << 7) | rights] === 0) return false;
    if (this.keys !== 0) {
      const { pkru, pkrs } = this.context;
      if (keyDenies(this.keys, pkru, pkrs, this.first.policy, rights, (frameHi >>> 20) & 15, access)) return false;
    }
    const offset = (1 << CLASS_SHIFTS[pageClass]) - 1;
    array.touch(line);
    this.hostLo = (frame & ~offset) | (lo & offset);
    this.hostHi = frameHi & FRAME_HIGH;
    this.originLo = array.originLo(line) | (lo & offset);
    this.originHi = array.originHi(line);
    if (this.journal.on) this.noteHit(array, line, lo, hi, structure);
    return true;
  }

  /** Is a translation of this linear address cached for the context that runs? Changes nothing. */
  caches(lo: number, hi: number): boolean {
    if (!this.tlbOn) return false;
    const { tlb, tag, globalTag, context } = this;
    const has = (array: TlbArray, pageClass: PageClass, tagged: number): boolean =>
      array.find(array.setOf(lo, hi, CLASS_SHIFTS[pageClass]), lineKey(lo, pageClass, tagged), hi) >= 0;
    for (const pageClass of [PageClass.page4K, PageClass.page2M, PageClass.page1G]) {
      if (has(tlb.l1Of(pageClass), pageClass, tag)) return true;
      if (pageClass === PageClass.page1G) continue;
      if (has(tlb.l2, pageClass, tag) || (context.globalPages && has(tlb.l2, pageClass, globalTag))) return true;
    }
    return false;
  }

  private walk(lo: number, hi: number, access: number): Outcome {
    this.walks++;
    const { first, tlb, journal } = this;
    const parts = tlb.partsUsed;
    let status = this.walkTables(lo, hi, access);
    if (status !== Walk.ok) {
      if (tlb.partsUsed !== parts) {
        // What cached parts of the way deny, memory may allow by now.
        this.dropFailed(lo, hi, status);
        if (!this.failsStill(lo, hi, access, status)) status = this.walkTables(lo, hi, access);
      }
      if (status !== Walk.ok) {
        this.dropFailed(lo, hi, status);
        return this.failed(status);
      }
    }
    if (this.hasFirst === true) {
      this.hostLo = first.hostLo;
      this.hostHi = first.hostHi;
      this.at = WALKED;
    }
    if (journal.on === true) {
      journal.row(Kind.translated, 0, 0, lo, hi, this.hostLo, this.hostHi);
      if (tlb.partsUsed !== parts) this.noteStale(lo, hi, this.usedRights());
    }
    if (this.tlbOn === true) this.fill(lo, hi);
    return Outcome.ok;
  }

  /** Would the walk that has just failed fail in the same way from the root? Looks only. */
  private failsStill(lo: number, hi: number, access: number, status: Walk): boolean {
    const { first, second } = this;
    const failed = this.hasFirst && status !== Walk.below ? first : second;
    const { status: why, level, inLo, inHi } = failed;
    const { references: ofFirst } = first;
    const { references: ofSecond } = second;
    first.walking = second.walking = Walking.silent;
    const again = this.walkTables(lo, hi, access);
    first.walking = second.walking = Walking.hardware;
    first.references = ofFirst;
    second.references = ofSecond;
    return again === status && failed.status === why && failed.level === level && failed.inLo === inLo && failed.inHi === inHi;
  }

  private walkTables(lo: number, hi: number, access: number): Walk {
    return this.hasFirst === true ? this.first.translate(lo, hi, access) : this.walkWithoutPaging(lo, access);
  }

  /** CR0.PG=0: the linear address is the guest-physical one. */
  private walkWithoutPaging(lo: number, access: number): Walk {
    const { second } = this;
    const status = this.hasSecond ? second.translate(lo, 0, access) : Walk.ok;
    if (status !== Walk.ok) return status;
    this.originLo = lo;
    this.originHi = 0;
    this.hostLo = this.hasSecond ? second.hostLo : lo;
    this.hostHi = this.hasSecond ? second.hostHi : 0;
    return status;
  }

  /** The TLB served the access: say so, and whether memory says otherwise by now. */
  private noteHit(array: TlbArray, line: number, lo: number, hi: number, structure: Structure): void {
    const verified = array.isVerified(line, this.memory.tableEpoch);
    this.journal.row(Kind.tlb_hit, 0, hitBy(structure, array.key(line) & TAG_MASK), lo, hi, this.hostLo, this.hostHi);
    if (!verified) this.verify(array, line, lo, hi);
  }

  /** As {@link noteHit}, of the line of L1's 4K part whose words begin here. */
  private noteQuickHit(at: number, lo: number, hi: number): void {
    const { journal } = this;
    if (this.l1Words[(at + Word.verified) | 0] !== this.memory.tableEpoch) {
      this.noteHit(this.l1, at >> LINE_SHIFT, lo, hi, Structure.l1);
    } else journal.append(journal.head(Kind.tlb_hit, 0, hitBy(Structure.l1, this.tag)), lo, hi, this.hostLo, this.hostHi);
  }

  /** Compare a line that served an access with memory. */
  private verify(array: TlbArray, line: number, lo: number, hi: number): void {
    if (!this.noteStale(lo, hi, array.frame(line) & RIGHTS_MASK)) array.setVerified(line, this.memory.tableEpoch);
  }

  /** A stale row when the tables in memory do not say what was used; true when there was need. */
  private noteStale(lo: number, hi: number, rights: number): boolean {
    return this.staleness.note(lo, hi, this.gpa, this.hostLo, this.hostHi, rights);
  }

  /** What a failed read through {@link second} comes to outside an access (PDPTEs by MOV CR). */
  failedBelow(): Outcome {
    return (this.outcome = this.failed(Walk.below));
  }

  /** Outcome of a failed walk, with what it reports. */
  private failed(status: Walk): Outcome {
    const { first, second, memory } = this;
    const { journal } = memory;
    if (this.hasFirst && status !== Walk.below) {
      this.errorCode = first.errorCode;
      return Outcome.pageFault;
    }
    const { inLo, inHi, access } = second;
    this.exitGpaLo = inLo;
    this.exitGpaHi = inHi;
    if (second.status === Walk.pmlFull) return Outcome.pmlFull;
    if (!second.format.ept) {
      this.exitInfo1Lo = second.errorCode;
      this.exitInfo1Hi = exitInfo1High(access);
      journal.row(Kind.nested_page_fault, second.level, 0, inLo, inHi, this.exitInfo1Lo, this.exitInfo1Hi);
      return Outcome.nestedPageFault;
    }
    if (second.status === Walk.reserved) {
      journal.row(Kind.ept_misconfig, second.level, 0, inLo, inHi, second.entryLo(second.level), second.entryHi(second.level));
      return Outcome.eptMisconfig;
    }
    this.qualification = eptQualification(access, second.rights);
    journal.row(Kind.ept_violation, second.level, 0, inLo, inHi, this.qualification, 0);
    return Outcome.eptViolation;
  }

  /** Cache what the walk came to. */
  private fill(lo: number, hi: number): void {
    const { first, second, hasFirst, journal } = this;
    const guestShift = hasFirst ? first.pageShift : 30;
    const shift = this.hasSecond ? Math.min(guestShift, second.pageShift) : guestShift;
    const global = hasFirst && this.context.globalPages && first.global;
    const key = hasFirst && this.keys !== 0 ? first.key : 0;
    if (journal.on) journal.row(Kind.tlb_fill, classOf(shift) + 1, Structure.l1, lo, hi, this.hostLo, this.hostHi);
    const frame = this.usedRights() | (global ? GLOBAL_LINE : 0);
    const frameHi = upperValue(this.hostHi, key, guestShift);
    const originLo = hasFirst ? first.outLo : this.originLo;
    const originHi = hasFirst ? first.outHi : this.originHi;
    this.tlb.fill(lo, hi, this.tag, this.globalTag, shift, this.hostLo, frame, frameHi, originLo, originHi);
  }

  private usedRights(): number {
    if (this.hasFirst) return this.first.rights;
    return this.hasSecond ? GUEST_ALL | this.second.hostRights : GUEST_ALL | HOST_ALL | Rights.dirty;
  }

  /** A fault or exit leaves nothing that serves its address (§2.10, §3.10). */
  private dropFailed(lo: number, hi: number, status: Walk): void {
    if (!this.tlbOn) return;
    this.invalidations.fault(lo, hi);
    if (this.hasSecond && (status === Walk.below || !this.hasFirst)) this.invalidations.secondFault(this.second.inLo, this.second.inHi);
  }
}
