/**
 * The one walker of radix tables: guest tables of every mode, EPT, nested tables, shadow tables. What an entry means is the
 * format's to say (formats.ts), what an access may do the permission rule's (permissions.ts); order of checks: §2.4, §3.3,
 * §3.5. A walker can stand behind another one (it is a {@link Stage}).
 *
 * What nearly all walks of a running machine are, quick-walk.ts does first; at its first doubt `walk` goes from the top, with
 * every rule, journal row and flag. No objects, closures or bigints; results are left in fields until the next walk.
 */
import { ACCESS_FETCH, ACCESS_IMPLICIT, ACCESS_USER, ACCESS_WHAT, ACCESS_WRITE, Kind } from '../journal/events';
import { FRAME_HIGH, FRAME_LOW, Pte, keyOf } from './entries';
import { PageFault } from './fault-codes';
import { LEAF, type Format } from './formats';
import { ACCESS_RIGHTS_MASK, Access, HOST_ALL, Rights, keyDenies } from './permissions';
import { Walk, Walking, type Stage } from './stage';
import { QuickWalker } from './quick-walk';
import { At, PATH, shiftOf } from './walker-state';
import type { EntryCache, ModificationLog, TranslationCache } from './walk-caches';

export class Walker extends QuickWalker implements Stage {
  /**
   * Translate an address for an access (ACCESS_* and `Access` bits). A linear address must be canonical, in 32-bit and PAE
   * paging below 2^32.
   *
   * @returns {@link Walk}
   */
  translate(lo: number, hi: number, access: number): number {
    if (this.plain === true && this.quickWalk(lo, hi, access)) return Walk.ok;
    return this.behalf === Walking.software ? this.softwareWalk(lo, hi, access) : this.walk(lo, hi, access);
  }

  private softwareWalk(lo: number, hi: number, access: number): number {
    const { listener, stageNumber } = this;
    listener?.begins(stageNumber, lo, hi, this.pferr >= 0 ? this.pferr : walkErrorCode(access));
    const status = this.walk(lo, hi, access);
    if (status !== Walk.ok && status !== Walk.below) listener?.fails(stageNumber, this.errorCode);
    return status;
  }

  private walk(lo: number, hi: number, access: number): number {
    const { format, memory, stage, path } = this;
    const narrow = format.narrow;
    const rows = this.behalf !== Walking.silent && memory.journal.on;
    // Who only looks wants to know what memory says.
    const cache = this.behalf === Walking.hardware ? this.cache : null;
    const mappings = this.behalf === Walking.hardware ? this.mappings : null;
    let level = format.levels;
    let tableLo = this.rootLo;
    let tableHi = this.rootHi;
    // All entries so far: AND of low halves, OR of high halves.
    let all = -1;
    let any = 0;
    this.keyDenied = false;
    this.updated = 0;
    if (mappings !== null && mappings.find(lo, hi, this.effective(access), this.permitted)) return this.mapped(lo, mappings);
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
    const { format } = this;
    const rights = this.rightsOf(all, any);
    const effective = this.effective(access);
    let denied = this.permitted[((effective & ACCESS_RIGHTS_MASK) << 7) | rights | Rights.dirty] === 0;
    if (this.keys !== 0 && keyDenies(this.keys, this.pkru, this.pkrs, this.policy, rights, keyOf(entryHi), effective))
      denied = this.keyDenied = true;
    if (denied) return this.fail(Walk.denied, level, lo, hi, access, all, any);

    this.level = level;
    const write = (access & ACCESS_WHAT) === ACCESS_WRITE;
    const missing = (all & format.accessed) !== format.accessed || (write && (entry & format.dirty) !== format.dirty);
    this.flagsMissing = missing;
    if (missing && this.behalf === Walking.hardware) {
      const status = this.setFlags(lo, hi, write);
      if (status !== Walk.ok) return this.fail(status, level, lo, hi, access, all, any);
    }
    const sets = this.behalf === Walking.hardware || this.behalf === Walking.software;
    const leaf = write && sets ? entry | format.dirty : entry;
    const status = this.arrive(lo, access, level, leaf, entryHi, rights);
    if (status !== Walk.ok) return this.fail(Walk.below, level, lo, hi, access, all, any);
    if (missing && this.behalf === Walking.software) {
      const flags = this.setFlags(lo, hi, write);
      if (flags !== Walk.ok) return this.fail(flags, level, lo, hi, access, all, any);
    }
    if (this.behalf !== Walking.hardware) return Walk.ok;
    if (this.cache !== null) this.fillCache(lo, hi, this.cache);
    if (this.mappings !== null) this.mappings.add(lo, hi, this.pageShift, this.hostLo, this.hostHi, this.rights);
    return Walk.ok;
  }

  /** The address that a leaf gives, through the stage behind. */
  private arrive(lo: number, access: number, level: number, leafLo: number, leafHi: number, rights: number): number {
    const { format, stage } = this;
    const offset = (1 << shiftOf(format, level)) - 1;
    const outLo = (leafLo & ~offset) | (lo & offset);
    // PSE-36: bits 20:13 are address bits 39:32.
    const outHi = format.narrow ? (level === 2 ? (leafLo >>> 13) & 0xff : 0) : leafHi & FRAME_HIGH;
    this.level = level;
    this.leafLo = leafLo;
    this.leafHi = leafHi;
    const all = rights | ((leafLo & format.dirty) === format.dirty ? Rights.dirty : 0);
    if (stage === null) {
      this.hostLo = outLo;
      this.hostHi = outHi;
      this.rights = all;
    } else {
      const status = stage.translate(outLo, outHi, access & ~Access.table);
      if (status !== Walk.ok && status !== Walk.absent) return (this.status = Walk.below);
      this.stageLo = outLo;
      this.stageHi = outHi;
      this.hostLo = stage.hostLo;
      this.hostHi = stage.hostHi;
      this.rights = all & (stage.hostRights | ~(HOST_ALL | Rights.dirty));
    }
    return (this.status = Walk.ok);
  }

  /** A cached guest-physical mapping serves the access. */
  private mapped(lo: number, { level, frameLo, frameHi, rights }: TranslationCache): Walk {
    const offset = (1 << shiftOf(this.format, level)) - 1;
    this.firstLevel = 0;
    this.level = level;
    this.hostLo = (frameLo & ~offset) | (lo & offset);
    this.hostHi = frameHi;
    this.rights = rights;
    this.flagsMissing = false;
    this.status = Walk.ok;
    return Walk.ok;
  }

  /**
   * Accessed flags of every entry used and, for a write, the dirty flag of the leaf; top level first. A processor sets none when
   * something cannot be; software finds out at the leaf that its log is full (update_accessed_dirty_bits).
   */
  private setFlags(lo: number, hi: number, write: boolean): Walk {
    const { format, path, memory, stage, behind } = this;
    const hardware = this.behalf === Walking.hardware;
    if (hardware) {
      if (behind !== null) {
        // Without A/D in the stage behind, setting a flag is a write of its own there (§3.5 step 5).
        for (let level = this.firstLevel; level >= this.level; level--) {
          const p = level * PATH;
          if (this.missingFlags(level, write) === 0 || (path[p + At.hostRights] & Rights.hostWrite) !== 0) continue;
          if (!behind.mayWrite(path[p], path[p + At.entryHi])) return Walk.below;
        }
      }
      if (this.pml !== null && write && (this.entryLo(this.level) & format.dirty) === 0 && !this.pml.log(lo, hi)) return Walk.pmlFull;
    }
    for (let level = this.firstLevel; level >= this.level; level--) {
      const bits = this.missingFlags(level, write);
      if (bits === 0) continue;
      const p = level * PATH;
      if (!hardware) {
        if ((bits & format.accessed) !== 0) this.listener?.setsAccessed(level, path[p], path[p + At.entryHi]);
        if ((bits & format.dirty) !== 0) {
          this.listener?.setsDirty(level, path[p], path[p + At.entryHi]);
          if (this.pml !== null && !this.logs(this.pml, lo, hi)) return Walk.pmlFull;
        }
        if (stage !== null && (path[p + At.hostRights] & Rights.hostWrite) === 0) continue;
      }
      this.updated |= 1 << level;
      if (this.writes !== null) {
        this.writes(path[p + At.outLo], path[p + At.outHi], bits);
        continue;
      }
      const at = path[p + At.place];
      const upper = format.narrow && (path[p] & 4) !== 0;
      const now = (upper ? memory.words[at + 1] : memory.words[at]) | bits;
      if (hardware) memory.journal.row(Kind.table_write, level, this.stageNumber, path[p], path[p + At.entryHi], now, path[p + At.valueHi]);
      memory.setBits(at, upper ? 0 : bits, upper ? bits : 0);
    }
    return Walk.ok;
  }

  /** A log that software keeps: what is changed next is still the flag's doing. */
  private logs(pml: ModificationLog, lo: number, hi: number): boolean {
    return this.memory.journal.interlude(() => pml.log(lo, hi));
  }

  mayWrite(lo: number, hi: number): boolean {
    const { walking, references } = this;
    this.walking = Walking.silent;
    const status = this.translate(lo, hi, ACCESS_WRITE | Access.table);
    this.walking = walking;
    this.references = references;
    return status === Walk.ok;
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
    if (rows && (pdptes === null || this.behalf === Walking.software))
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
    if (this.behalf === Walking.verify) return;
    if (this.behalf === Walking.hardware)
      memory.journal.row(Kind.table_read, level, this.stageNumber, addressLo, addressHi, entryLo, entryHi);
    else this.listener?.reads(this.stageNumber, level, entryLo, entryHi, addressLo, addressHi);
  }

  /** Valid non-leaf entries of a completed walk go into the paging-structure cache (§2.10). */
  private fillCache(lo: number, hi: number, cache: EntryCache): void {
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
