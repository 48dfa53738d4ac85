/**
 * The one walker of radix tables: guest tables of every mode, EPT, nested tables, shadow tables. What an entry means is the
 * format's to say (formats.ts), what an access may do the permission rule's (permissions.ts); order of checks: §2.4, §3.3,
 * §3.5. A walker can stand behind another one (it is a {@link Stage}).
 *
 * On the hot path there are no objects, closures or bigints; results are left in fields until the next walk.
 */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_READ, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE, Kind } from '../journal/events';
import { join } from '../bits';
import type { PhysicalMemory } from '../memory/physical-memory';
import type { MappingCache } from '../vcpu/mapping-cache';
import type { PmlLog } from '../vcpu/pml-log';
import type { StructureCache } from '../vcpu/structure-cache';
import { FRAME_HIGH, FRAME_LOW, Pte, keyOf } from './entries';
import { pageFaultCode, PageFault } from './fault-codes';
import { LEAF, type Format } from './formats';
import { ACCESS_RIGHTS_MASK, Access, GUEST_ALL, HOST_ALL, Policy, Rights, keyDenies, permissionTable } from './permissions';
import { Walk, Walking, type Stage } from './walk';

/** Words of {@link Walker.path} a level. */
const PATH = 8;
/** Places in a level's part of the path. */
enum At {
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

export class Walker implements Stage {
  // What is walked. Set by `use` or between walks.
  format: Format;
  rootLo = 0;
  rootHi = 0;
  /** {@link Policy} bits; of the guest for its tables, the host's NXE for nested tables, none for EPT. */
  policy = 0;
  /** Protection keys in force (`Keys`), and their registers. */
  keys = 0;
  pkru = 0;
  pkrs = 0;
  /** PAE: low and high halves of the four PDPTE registers; null: PDPTEs are read from memory at each walk. */
  pdptes: Int32Array | null = null;
  walking: Walking = Walking.hardware;
  /** Software walks: error code shown as the walk begins; -1: what the access amounts to. */
  pferr = -1;
  /** Page-modification logging of what becomes dirty here (EPT); null: off. */
  pml: PmlLog | null = null;
  /** Paging-structure cache for these tables; null: none. */
  cache: StructureCache | null = null;
  /** Cache of whole translations by these tables (guest-physical mappings); null: none. Only without a stage behind. */
  mappings: MappingCache | null = null;
  /** Told of each entry whose flags a software walk has written: its address in the space behind. */
  written: ((outLo: number, outHi: number) => void) | null = null;

  // What the last walk came to.
  status: Walk = Walk.ok;
  /** Level of the leaf, or of the entry at which the walk ended. */
  level = 0;
  /** Level of the first entry of the walk (as the cache may have spared some). */
  firstLevel = 0;
  /** log2 of the page's size: 12, 21, 22 or 30. */
  pageShift = 12;
  /** {@link Rights}: guest bits of this format or host bits of EPT; with a stage behind, its host bits after the whole walk. */
  rights = 0;
  keyDenied = false;
  /** Protection key of the leaf. */
  key = 0;
  /** The leaf is global (whether that counts is CR4.PGE's matter). */
  global = false;
  /** What came in: address and access. */
  inLo = 0;
  inHi = 0;
  access = 0;
  /** Where it led: address in the space of the tables (the guest-physical one for a guest's), and host-physical. */
  outLo = 0;
  outHi = 0;
  hostLo = 0;
  hostHi = 0;
  hostRights = 0;
  /** Entries read from memory so far, by all walks of this walker. */
  references = 0;
  /** The access needs flags set that were clear: they are now, or would be in a walk that only looks. */
  flagsMissing = false;
  /** Bit n: flags of the entry of level n were set by the last walk. */
  updated = 0;

  private readonly path = new Int32Array(6 * PATH);
  private permitted = permissionTable(0);
  private permittedPolicy = 0;
  /** Bits 63:32 of an input address that these tables cannot translate. */
  private beyond = 0;

  /**
   * @param stageNumber STAGE_* in table_read rows
   * @param stage behind these tables; null: they lie in host-physical memory
   */
  constructor(
    readonly memory: PhysicalMemory,
    format: Format,
    public stageNumber: number,
    public stage: Stage | null = null,
  ) {
    this.format = format;
    this.use(format, 0, 0);
  }

  /** Walk tables of this format from this root (address bits 51:5 or 51:12; others are ignored). */
  use(format: Format, rootLo: number, rootHi: number): void {
    this.format = format;
    this.rootLo = rootLo & (format.pae ? ~31 : FRAME_LOW);
    this.rootHi = rootHi & FRAME_HIGH;
    const bits = format.inputBits;
    this.beyond = bits >= 64 ? 0 : bits <= 32 ? -1 : -1 << (bits - 32);
  }

  get tableAccess(): number {
    return (this.format.tableWrites ? ACCESS_WRITE : ACCESS_READ) | Access.table;
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

  /**
   * Translate an address for an access (ACCESS_* and `Access` bits). A linear address must be canonical, in 32-bit and PAE
   * paging below 2^32.
   *
   * @returns {@link Walk}
   */
  translate(lo: number, hi: number, access: number): number {
    return this.walking === Walking.software ? this.softwareWalk(lo, hi, access) : this.walk(lo, hi, access);
  }

  private softwareWalk(lo: number, hi: number, access: number): number {
    const journal = this.memory.journal;
    journal.row(Kind.kvm_mmu_pagetable_walk, 0, 0, lo, hi, this.pferr >= 0 ? this.pferr : walkErrorCode(access), 0);
    const status = this.walk(lo, hi, access);
    if (status !== Walk.ok && status !== Walk.below) journal.row(Kind.kvm_mmu_walker_error, 0, 0, this.errorCode, 0, 0, 0);
    return status;
  }

  private walk(lo: number, hi: number, access: number): number {
    const { format, memory, stage, path } = this;
    const narrow = format.narrow;
    const rows = this.walking !== Walking.silent && memory.journal.on;
    let level = format.levels;
    let tableLo = this.rootLo;
    let tableHi = this.rootHi;
    // All entries so far: AND of low halves, OR of high halves.
    let all = -1;
    let any = 0;
    this.keyDenied = false;
    this.updated = 0;
    if (this.permittedPolicy !== this.policy) {
      this.permitted = permissionTable(this.policy);
      this.permittedPolicy = this.policy;
    }
    if (this.mappings !== null && this.mappings.find(lo, hi, this.effective(access), this.permitted)) return this.mapped(lo, hi);
    if ((hi & this.beyond) !== 0) {
      this.firstLevel = level;
      return this.fail(Walk.notPresent, level, lo, hi, access, 0, 0);
    }
    if (format.pae) {
      this.firstLevel = 3;
      const status = this.pdpte(lo, hi, access, rows);
      if (status !== Walk.ok) return status;
      tableLo = this.path[3 * PATH + At.valueLo] & FRAME_LOW;
      tableHi = this.path[3 * PATH + At.valueHi] & FRAME_HIGH;
    } else this.firstLevel = level;
    const cache = this.cache;
    if (cache !== null && cache.find(lo, hi, level)) {
      level = cache.level;
      tableLo = cache.tableLo;
      tableHi = cache.tableHi;
      all = cache.all;
      any = cache.any;
      this.firstLevel = level;
    }

    for (let count = 1; ; count++) {
      let entryLo: number;
      if (narrow) entryLo = tableLo | (((lo >>> (level * 10 + 2)) & 1023) << 2);
      else {
        const shift = level * 9 + 3;
        const index = shift < 32 ? (lo >>> shift) | (hi << (32 - shift)) : hi >>> (shift - 32);
        entryLo = tableLo | ((index & 511) << 3);
      }
      const p = level * PATH;
      path[p + At.entryLo] = entryLo;
      path[p + At.entryHi] = tableHi;
      let at: number;
      if (stage === null) at = memory.locate(entryLo, tableHi);
      else {
        const status = stage.translate(entryLo, tableHi, stage.tableAccess);
        if (status !== Walk.ok) {
          this.references += count - 1;
          path[p + At.place] = -1;
          path[p + At.valueLo] = path[p + At.valueHi] = 0;
          return this.fail(
            status === Walk.absent ? Walk.notPresent : Walk.below,
            level,
            lo,
            hi,
            access,
            status === Walk.absent ? 0 : all,
            any,
          );
        }
        at = memory.locate(stage.hostLo, stage.hostHi);
        path[p + At.outLo] = stage.outLo;
        path[p + At.outHi] = stage.outHi;
        path[p + At.hostRights] = stage.hostRights;
      }
      const words = memory.words;
      let entry = words[at];
      let entryHi = words[at + 1];
      if (narrow) {
        if ((entryLo & 4) !== 0) entry = entryHi;
        entryHi = 0;
      }
      path[p + At.valueLo] = entry;
      path[p + At.valueHi] = entryHi;
      path[p + At.place] = at;
      if (rows) this.noteRead(level, entryLo, tableHi, entry, entryHi, at);

      if ((entry & format.present) === 0) {
        this.references += count;
        return this.fail(Walk.notPresent, level, lo, hi, access, all & entry, any);
      }
      all &= entry;
      any |= entryHi;
      if ((entry & format.large[level]) === 0) {
        if (
          (entry & format.reservedLo[level]) !== 0 ||
          (entryHi & format.reservedHi[level]) !== 0 ||
          ((format.badRights >>> (entry & 7)) & 1) !== 0
        ) {
          this.references += count;
          return this.fail(Walk.reserved, level, lo, hi, access, all, any);
        }
        tableLo = entry & FRAME_LOW;
        tableHi = entryHi & FRAME_HIGH;
        level--;
        continue;
      }

      this.references += count;
      const leaf = level + LEAF;
      if ((entry & format.reservedLo[leaf]) !== 0 || (entryHi & format.reservedHi[leaf]) !== 0 || malformedLeaf(format, entry)) {
        return this.fail(Walk.reserved, level, lo, hi, access, all, any);
      }
      return this.finish(lo, hi, access, level, entry, entryHi, all, any);
    }
  }

  /** The walk is complete: rights, flags, address. */
  private finish(lo: number, hi: number, access: number, level: number, entry: number, entryHi: number, all: number, any: number): number {
    const { format, stage } = this;
    const rights = format.ept ? GUEST_ALL | ((all & 7) << 3) : ((all >>> 1) & 3) | ((any >>> 31) << 2) | HOST_ALL;
    const effective = format.userOnly ? this.effective(access) : access;
    let denied = this.permitted[((effective & ACCESS_RIGHTS_MASK) << 7) | rights | Rights.dirty] === 0;
    if (this.keys !== 0) {
      this.key = keyOf(entryHi);
      if (keyDenies(this.keys, this.pkru, this.pkrs, this.policy, rights, this.key, effective)) denied = this.keyDenied = true;
    }
    if (denied) return this.fail(Walk.denied, level, lo, hi, access, all, any);

    this.level = level;
    this.global = (entry & format.global) !== 0;
    const write = (access & ACCESS_WHAT) === ACCESS_WRITE;
    const flags = (all & format.accessed) !== format.accessed || (write && (entry & format.dirty) !== format.dirty);
    const sets = this.walking === Walking.hardware || this.walking === Walking.software;
    const dirty = (entry & format.dirty) === format.dirty || (write && sets) ? Rights.dirty : 0;
    this.flagsMissing = flags;
    if (flags && this.walking === Walking.hardware) {
      const status = this.setFlags(lo, hi, write);
      if (status !== Walk.ok) return this.fail(status, level, lo, hi, access, all, any);
    }

    const shift = level === 1 ? 12 : level === 3 ? 30 : format.narrow ? 22 : 21;
    const offset = (1 << shift) - 1;
    const outLo = (entry & ~offset) | (lo & offset);
    // PSE-36: bits 20:13 are address bits 39:32.
    const outHi = format.narrow ? (level === 2 ? (entry >>> 13) & 0xff : 0) : entryHi & FRAME_HIGH;
    this.pageShift = shift;
    this.outLo = outLo;
    this.outHi = outHi;
    if (stage === null) {
      this.hostLo = outLo;
      this.hostHi = outHi;
      this.rights = rights | dirty;
      this.hostRights = (format.ept ? rights & HOST_ALL : this.asHostRights(rights)) | dirty;
    } else {
      const status = stage.translate(outLo, outHi, access & ~Access.table);
      if (status !== Walk.ok && status !== Walk.absent) return this.fail(Walk.below, level, lo, hi, access, all, any);
      this.hostLo = stage.hostLo;
      this.hostHi = stage.hostHi;
      const host = stage.hostRights;
      this.hostRights = host & (dirty === 0 ? ~Rights.dirty : -1);
      this.rights = (rights & ~HOST_ALL) | this.hostRights;
    }
    if (flags && this.walking === Walking.software) this.setFlags(lo, hi, write);
    this.status = Walk.ok;
    if (this.cache !== null) this.fillCache(lo, hi);
    if (this.mappings !== null) this.mappings.add(lo, hi, shift, this.hostLo, this.hostHi, GUEST_ALL | this.hostRights);
    return Walk.ok;
  }

  /** A cached guest-physical mapping serves the access. */
  private mapped(lo: number, hi: number): Walk {
    const { shift, frameLo, frameHi, rights } = this.mappings!;
    const offset = (1 << shift) - 1;
    this.firstLevel = 0;
    this.pageShift = shift;
    this.outLo = this.hostLo = (frameLo & ~offset) | (lo & offset);
    this.outHi = this.hostHi = frameHi;
    this.rights = this.hostRights = rights & (HOST_ALL | Rights.dirty);
    this.flagsMissing = false;
    this.inLo = lo;
    this.inHi = hi;
    this.status = Walk.ok;
    return Walk.ok;
  }

  /**
   * Accessed flags of every entry used and, for a write, the dirty flag of the leaf; top level first. Nothing is set when
   * something cannot be.
   */
  private setFlags(lo: number, hi: number, write: boolean): Walk {
    const { format, path, memory, stage } = this;
    const hardware = this.walking === Walking.hardware;
    if (hardware) {
      if (stage !== null) {
        // Without A/D in the stage behind, setting a flag is a write of its own there (§3.5 step 5).
        for (let level = this.firstLevel; level >= this.level; level--) {
          const p = level * PATH;
          if (this.missingFlags(level, write) === 0 || (path[p + At.hostRights] & Rights.hostWrite) !== 0) continue;
          if (stage.translate(path[p], path[p + At.entryHi], ACCESS_WRITE | Access.table) !== Walk.ok) return Walk.below;
        }
      }
      if (this.pml !== null && write && (this.entryLo(this.level) & format.dirty) === 0 && !this.pml.log(lo, hi)) return Walk.pmlFull;
    }
    for (let level = this.firstLevel; level >= this.level; level--) {
      const bits = this.missingFlags(level, write);
      if (bits === 0) continue;
      const p = level * PATH;
      if (!hardware) {
        const journal = memory.journal;
        if ((bits & format.accessed) !== 0) journal.row(Kind.kvm_mmu_set_accessed_bit, level, 0, path[p], path[p + At.entryHi], 0, 0);
        if ((bits & format.dirty) !== 0) journal.row(Kind.kvm_mmu_set_dirty_bit, level, 0, path[p], path[p + At.entryHi], 0, 0);
        if (stage !== null && (path[p + At.hostRights] & Rights.hostWrite) === 0) continue;
      }
      this.updated |= 1 << level;
      const upper = format.narrow && (path[p] & 4) !== 0;
      memory.setBits(path[p + At.place], upper ? 0 : bits, upper ? bits : 0);
      if (this.written !== null) this.written(path[p + At.outLo], path[p + At.outHi]);
    }
    return Walk.ok;
  }

  /** Flags that this access has to set in the entry of a level. */
  private missingFlags(level: number, write: boolean): number {
    const { format } = this;
    if (format.pae && level === 3) return 0;
    const entry = this.entryLo(level);
    return (format.accessed | (write && level === this.level ? format.dirty : 0)) & ~entry;
  }

  /** PAE: the PDPTE of an address into the path, from its register or from memory. */
  private pdpte(lo: number, hi: number, access: number, rows: boolean): Walk {
    const { format, path, pdptes, memory, stage } = this;
    const index = lo >>> 30;
    const p = 3 * PATH;
    const entryLo = this.rootLo | (index << 3);
    path[p] = entryLo;
    path[p + At.entryHi] = this.rootHi;
    path[p + At.place] = -1;
    if (pdptes !== null) {
      path[p + At.valueLo] = pdptes[index * 2];
      path[p + At.valueHi] = pdptes[index * 2 + 1];
    } else {
      path[p + At.valueLo] = path[p + At.valueHi] = 0;
      let at: number;
      if (stage === null) at = memory.locate(entryLo, this.rootHi);
      else {
        const status = stage.translate(entryLo, this.rootHi, stage.tableAccess);
        if (status !== Walk.ok) return this.fail(status === Walk.absent ? Walk.notPresent : Walk.below, 3, lo, hi, access, 0, 0);
        at = memory.locate(stage.hostLo, stage.hostHi);
      }
      this.references++;
      path[p + At.place] = at;
      path[p + At.valueLo] = memory.words[at];
      path[p + At.valueHi] = memory.words[at + 1];
    }
    const value = path[p + At.valueLo];
    const valueHi = path[p + At.valueHi];
    if (rows && (pdptes === null || this.walking === Walking.software))
      this.noteRead(3, entryLo, this.rootHi, value, valueHi, path[p + At.place]);
    if ((value & Pte.present) === 0) return this.fail(Walk.notPresent, 3, lo, hi, access, 0, 0);
    if ((value & format.reservedLo[3]) !== 0 || (valueHi & format.reservedHi[3]) !== 0)
      return this.fail(Walk.reserved, 3, lo, hi, access, 0, 0);
    return Walk.ok;
  }

  private fail(status: Walk, level: number, lo: number, hi: number, access: number, all: number, any: number): Walk {
    this.status = status;
    this.level = level;
    this.rights = this.rightsOf(all, any);
    this.inLo = lo;
    this.inHi = hi;
    this.access = access;
    return status;
  }

  private noteRead(level: number, addressLo: number, addressHi: number, entryLo: number, entryHi: number, at: number): void {
    const { memory } = this;
    if (at >= 0) memory.markTable(at);
    if (this.walking === Walking.verify) return;
    if (this.walking === Walking.hardware)
      memory.journal.row(Kind.table_read, level, this.stageNumber, addressLo, addressHi, entryLo, entryHi);
    else memory.journal.row(Kind.kvm_mmu_paging_element, level, 0, entryLo, entryHi, addressLo, addressHi);
  }

  /** Valid non-leaf entries of a completed walk go into the paging-structure cache (§2.10). */
  private fillCache(lo: number, hi: number): void {
    const cache = this.cache!;
    let all = -1;
    let any = 0;
    if (this.firstLevel < this.format.levels) {
      all = cache.all;
      any = cache.any;
    }
    for (let level = Math.min(this.firstLevel, this.format.levels); level > this.level; level--) {
      // Their accessed flags are set by now.
      all &= this.entryLo(level) | this.format.accessed;
      any |= this.entryHi(level);
      cache.add(lo, hi, level, this.entryLo(level) & FRAME_LOW, this.entryHi(level) & FRAME_HIGH, all, any);
    }
  }

  private rightsOf(all: number, any: number): number {
    if (this.format.ept) return GUEST_ALL | ((all & 7) << 3);
    return ((all >>> 1) & 3) | ((any >>> 31) << 2) | HOST_ALL;
  }

  /** Rights of ordinary entries as a second stage has them. */
  private asHostRights(rights: number): number {
    const executable = (rights & Rights.noExecute) === 0 || (this.policy & Policy.nxe) === 0;
    const readable = (rights & Rights.user) !== 0 || !this.format.userOnly;
    return (
      (readable ? Rights.hostRead : 0) | ((rights & Rights.write) !== 0 ? Rights.hostWrite : 0) | (executable ? Rights.hostExecute : 0)
    );
  }

  /** The access as these tables see it: nested tables of AMD see user accesses only (§3.12). */
  private effective(access: number): number {
    return this.format.userOnly ? (access & ~ACCESS_IMPLICIT) | ACCESS_USER : access;
  }
}

function malformedLeaf(format: Format, entry: number): boolean {
  return ((format.badRights >>> (entry & 7)) & 1) !== 0 || ((format.badTypes >>> ((entry >>> 3) & 7)) & 1) !== 0;
}

/** Error code of an access as a software walk begins with it: W, U, I. */
function walkErrorCode(access: number): number {
  const what = access & ACCESS_WHAT;
  const user = (access & ACCESS_USER) !== 0 && (access & ACCESS_IMPLICIT) === 0;
  return (what === ACCESS_WRITE ? PageFault.write : 0) | (user ? PageFault.user : 0) | (what === ACCESS_FETCH ? PageFault.fetch : 0);
}
