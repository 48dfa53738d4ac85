/**
 * Are cached translations still what memory says? Walks the tables as they are now, changes nothing, and writes a stale row for
 * people when the translation used is another one (§2.10: legal, and the guest's own doing).
 */
import { ACCESS_FETCH, ACCESS_READ, Kind, STAGE_GUEST, STAGE_SECOND } from '../journal/events';
import { join } from '../bits';
import type { PhysicalMemory } from '../memory/physical-memory';
import type { Format } from '../x86/formats';
import { GUEST_ALL, HOST_ALL, Rights } from '../x86/permissions';
import { Walk, Walking } from '../x86/stage';
import { Walker } from '../x86/walker';

const ALLOWING = GUEST_ALL | HOST_ALL;

export class Staleness {
  private readonly first: Walker;
  private readonly second: Walker;
  private hasFirst = false;
  private hasSecond = false;

  constructor(
    private readonly memory: PhysicalMemory,
    format: Format,
  ) {
    this.first = new Walker(memory, format, STAGE_GUEST);
    this.second = new Walker(memory, format, STAGE_SECOND);
    this.first.walking = this.second.walking = Walking.verify;
  }

  /** Compare with what these walkers walk. */
  use(first: Walker | null, second: Walker | null): void {
    this.hasFirst = first !== null;
    this.hasSecond = second !== null;
    if (first !== null) {
      this.first.use(first.format, first.rootLo, first.rootHi);
      this.first.pdptes = first.pdptes;
      this.first.stage = second === null ? null : this.second;
    }
    if (second !== null) {
      this.second.use(second.format, second.rootLo, second.rootHi);
      this.second.policy = second.policy;
    }
  }

  /**
   * Write a stale row when the tables do not give this translation.
   *
   * @param gpa guest-physical address that the linear one has in the translation used
   * @param rights {@link Rights} of the translation used
   * @returns whether it is stale
   */
  note(lo: number, hi: number, gpa: number, hostLo: number, hostHi: number, rights: number): boolean {
    const { first, second, hasFirst, hasSecond } = this;
    if (!hasFirst && !hasSecond) return false;
    // Pages that EPT lets only be executed are not to fail for being looked at.
    const access = (rights & Rights.hostRead) !== 0 ? ACCESS_READ : ACCESS_FETCH;
    const status = hasFirst ? first.translate(lo, hi, access) : second.translate(lo, hi, access);
    if (status !== Walk.ok) {
      const failed = hasFirst && status !== Walk.below ? first : second;
      return this.row(failed, failed.level, lo, hi);
    }
    const top = hasFirst ? first : second;
    const now = hasFirst ? first.rights : GUEST_ALL | second.hostRights;
    // Rights that were there and are gone (or XD that came), dirty included; rights that came.
    const gone = rights & ~now & (ALLOWING | Rights.dirty);
    const changed = (rights ^ now) & (ALLOWING | Rights.noExecute);
    const sameFrame = top.hostLo === hostLo && top.hostHi === hostHi;
    const accessed = !(hasFirst && first.flagsMissing) && !(hasSecond && second.flagsMissing);
    if (sameFrame && gone === 0 && changed === 0 && accessed) return false;
    const ofGuest = ((gone | changed) & ~HOST_ALL) !== 0 || first.flagsMissing || join(first.outLo, first.outHi) !== gpa;
    const blamed = hasFirst && (ofGuest || !hasSecond) ? first : second;
    return this.row(blamed, this.levelOf(blamed, gone), lo, hi);
  }

  /** The highest level whose entry takes one of these rights away; else the leaf. */
  private levelOf(walker: Walker, gone: number): number {
    for (let level = walker.firstLevel; level > walker.level; level--) {
      if ((gone & ALLOWING & ~walker.rightsDownTo(level)) !== 0) return level;
    }
    return walker.level;
  }

  private row(walker: Walker, level: number, lo: number, hi: number): true {
    this.memory.journal.row(Kind.stale, level, 0, lo, hi, walker.entryLo(level), walker.entryHi(level));
    return true;
  }
}
