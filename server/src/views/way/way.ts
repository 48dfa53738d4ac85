/**
 * The way of an address at a point of a run (protocol/translation.ts): the tables as memory has them, with what the processor reads of
 * them, and what comes of it, now and in the end. Looking changes nothing.
 */
import { highOf, lowOf } from '../../engine/bits';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from '../../engine/journal/events';
import { Outcome } from '../../engine/vcpu/processor';
import { Access, keyDenies, permits } from '../../engine/x86/permissions';
import { Walk } from '../../engine/x86/stage';
import type { Walker } from '../../engine/x86/walker';
import { accessText } from '../../events/decode';
import { hex, joined, plural } from '../../events/wording';
import type { CachedTranslation, Station, TranslationView, Verdict } from '../../protocol/translation';
import { cachedLines, cachedText } from '../cached';
import { addressOf } from '../machine-state';
import type { MachineState } from '../machine-state';
import type { RunView } from '../view';
import { indexOf, markDeciding, walkOf } from './entries';
import type { Entry, WalkOf } from './entries';
import { stagesOf } from './hardware';
import { inTheEnd } from './in-the-end';
import type { Ended } from './in-the-end';
import { referencesOf } from './references';
import type { References, WalkMade } from './references';
import { lastUses } from './recency';
import { restingWalk } from './resting';
import { Rehearsal } from './rehearsal';
import type { Attempt } from './rehearsal';
import { backwards } from './backwards';
import { spaceMaps } from './space-maps';
import { entryName, labelOf, tablesOf } from './tables';
import type { Tables, TablesOf } from './tables';
import { NOT_CANONICAL, judge, reachedAt, sentence } from './verdicts';
import type { Judged } from './verdicts';
import { walkersOf } from './walkers';
import type { Walkers } from './walkers';

/** From where an address is looked at: the state just before a journal row, as a vCPU sees it. */
export interface Viewpoint {
  readonly position: number;
  readonly vm: number;
  /** Index into the VM's vCPUs. */
  readonly vcpu: number;
}

/**
 * @param space of the address: linear, or physical of the VM
 * @param access ACCESS_* and `Access` bits of an access to judge; without, the first that the guest's tables allow
 */
export function translate(
  view: RunView,
  at: Viewpoint,
  address: bigint,
  space: 'gva' | 'gpa',
  access: number | null = null,
): TranslationView {
  return new Way(view, at, address, space, access).view();
}

/** The access of a name, as `user write` or `read` (a supervisor's); null: there is none. */
export function accessNamed(name: string): number | null {
  const [, who, what] = /^(?:(user|supervisor)\s+)?(read|write|fetch)$/.exec(name.trim().toLowerCase()) ?? [];
  if (what === undefined) return null;
  return { read: ACCESS_READ, write: ACCESS_WRITE, fetch: ACCESS_FETCH }[what as 'read'] | (who === 'user' ? ACCESS_USER : 0);
}

/** What the address's own name of its space is. */
const SPACES = { NGVA: 'ngva', GVA: 'gva', GPA: 'gpa', NGPA: 'gpa' } as const;

class Way {
  private readonly tables: TablesOf;
  private readonly walkers: Walkers;
  private readonly access: number;
  private readonly attempt: Attempt | null;
  private readonly made: References | null;
  private readonly state: MachineState;
  private readonly walks: WalkOf[] = [];
  private readonly notes: string[] = [];

  constructor(
    private readonly run: RunView,
    private readonly at: Viewpoint,
    private readonly address: bigint,
    private readonly space: 'gva' | 'gpa',
    private readonly asked: number | null,
  ) {
    this.state = run.machine(at.position);
    this.tables = tablesOf(this.state.machine, at.vm);
    this.walkers = walkersOf(this.state, at.vm, at.vcpu);
    this.access = asked ?? this.firstAllowed();
    this.attempt = this.attempted();
    this.made = this.attempt && referencesOf(this.attempt.rows);
  }

  view(): TranslationView {
    const { state, tables, walkers, address, space, access, asked } = this;
    const end = inTheEnd({ state, vm: this.at.vm, tables, walkers, address, space, access });
    const now = this.now();
    const canonical = now?.verdict !== NOT_CANONICAL && (now !== null || space === 'gpa' || this.canonical());
    if (canonical) this.walk();
    this.mark(now, end);
    if (canonical) this.push(restingWalk(state, this.at.vm, this.at.vcpu, end.stations));
    const verdict = !canonical ? NOT_CANONICAL : now && now.verdict.kind !== 'exit' ? now.verdict : end.verdict;
    const first = space === 'gva' ? tables.own.from : tables.own.to;
    const stations = canonical ? this.stations(verdict, end) : end.stations.slice(0, 1);
    return {
      address: hex(address),
      space: SPACES[first as keyof typeof SPACES],
      access: asked === null ? null : accessText(asked & 15),
      now: now?.verdict ?? null,
      end: verdict,
      outcome: outcomeOf(now?.verdict ?? null, verdict),
      walks: this.walks,
      stations,
      maps: spaceMaps(state, this.at.vm, stations),
      cached: space === 'gva' ? this.cached(end) : null,
      notes: this.notes,
    };
  }

  /** The first access that the guest's tables allow; a user's read when they allow none. */
  private firstAllowed(): number {
    const { guest } = this.walkers;
    if (this.space === 'gpa' || !guest) return ACCESS_READ;
    const [lo, hi] = [lowOf(this.address), highOf(this.address)];
    const accesses = [ACCESS_READ | ACCESS_USER, ACCESS_READ | Access.ac, ACCESS_FETCH | ACCESS_USER, ACCESS_FETCH];
    return accesses.find((access) => guest.translate(lo, hi, access) === Walk.ok) ?? accesses[0];
  }

  private attempted(): Attempt | null {
    const { hardware } = this.walkers;
    if (!hardware) return null;
    const { state, at, address, access, space } = this;
    if (space === 'gpa' && stagesOf(state, at.vm).shadow) return null;
    const rehearsal = new Rehearsal(state, hardware, lastUses(this.run, state, at.position, hardware.processor));
    return space === 'gva' ? rehearsal.linear(address, access) : rehearsal.physical(Number(address), access);
  }

  /** What the processor's attempt comes to; null: it makes none. */
  private now(): Judged | null {
    const { attempt, tables } = this;
    if (!attempt) return null;
    const { outcome, failed, hpa, reading } = attempt;
    if (outcome === Outcome.ok) return { verdict: reachedAt(hpa!), deciding: null };
    if (outcome === Outcome.generalProtection) return { verdict: NOT_CANONICAL, deciding: null };
    if (outcome === Outcome.pageFault) {
      const first = this.firstTables;
      return judge(failed!, first, first === tables.own ? 'fault' : 'exit');
    }
    return judge(failed!, tables.l0, 'exit', reading === null ? null : this.nameOf(reading));
  }

  /** The tables through which linear addresses go in hardware. */
  private get firstTables(): Tables {
    const { own, l1, l0 } = this.tables;
    return [own, l1, l0].find((each) => each !== null && each.by === 'processor' && each.from === own.from)!;
  }

  /** `PD[2]`: the entry of the first stage of a level that was under way. */
  private nameOf(level: number): string {
    const walker = this.firstWalker;
    if (!walker) return `level ${level}`;
    walker.translate(lowOf(this.address), highOf(this.address), this.access);
    const at = level >= walker.level ? walker.entryAddress(level) : 0;
    return entryName(this.firstTables, labelOf(walker.format, level), indexOf(walker.format, level, at));
  }

  private get firstWalker(): Walker | null {
    const { guest, l1, shadow } = this.walkers;
    const { own, l1: ofL1 } = this.tables;
    return this.firstTables === own ? guest : this.firstTables === ofL1 ? l1 : shadow;
  }

  /** All tables that there are, walked. */
  private walk(): void {
    const { tables, walkers, made, space, address } = this;
    const { own, l1, l0 } = tables;
    let physical: number | null = space === 'gpa' ? Number(address) : null;
    if (space === 'gva' && walkers.guest) {
      physical = this.walkLinear(walkers.guest, own, made?.first ?? null).reached;
    } else if (space === 'gva') {
      physical = Number(address & 0xffff_ffffn);
      this.notes.push('no paging');
    }
    const alone = space === 'gpa' || !walkers.guest;
    if (physical !== null && alone && l0.from === own.to) this.push(this.walkSecond(physical, made?.last ?? null, this.passed));
    if (l1 && walkers.l1) {
      const linear = l1.from === own.from;
      if (linear && space === 'gva') this.walkLinear(walkers.l1, l1, l1.by === 'processor' ? (made?.first ?? null) : null);
      else if (!linear && physical !== null) {
        walkers.l1.translate(lowOf(BigInt(physical)), highOf(BigInt(physical)), ACCESS_READ | ACCESS_USER);
        this.push(walkOf(walkers.l1, { tables: l1, address: BigInt(physical), made: null, passed: false }));
      }
    }
    if (walkers.shadow && space === 'gva') this.walkLinear(walkers.shadow, l0, made?.first ?? null);
    if (space === 'gva') this.sayRights();
  }

  private push(walk: WalkOf | null): void {
    if (walk) this.walks.push(walk);
  }

  private get passed(): boolean {
    return this.attempt?.outcome === Outcome.ok;
  }

  /** A walk from the linear address; with what translates its entries and its end, where the processor walks it. */
  private walkLinear(walker: Walker, tables: Tables, made: WalkMade | null): WalkOf {
    const { address, passed } = this;
    const byProcessor = tables.by === 'processor';
    walker.translate(lowOf(address), highOf(address), this.access);
    const walk = walkOf(walker, { tables, address, made: byProcessor ? made : null, passed: byProcessor && passed });
    this.walks.push(walk);
    if (!byProcessor || !this.walkers.second) return walk;
    for (const entry of walk.entries) entry.via = this.viaOf(entry);
    const atPage = this.made !== null && this.attempt!.reading === null;
    if (walk.reached !== null) walk.then = this.walkSecond(walk.reached, atPage ? this.made!.last : null, passed);
    return walk;
  }

  private viaOf(entry: Entry): WalkOf | null {
    const { made, attempt } = this;
    if (entry.at === null) return null;
    const stopped = attempt?.reading === entry.level && !made!.first.reads.has(entry.level);
    const part = made?.tables.get(entry.level) ?? (stopped ? made!.last : null);
    return this.walkSecond(Number(entry.at.replaceAll('_', '')), part, entry.state === 'read' || entry.state === 'cached');
  }

  private walkSecond(gpa: number, made: WalkMade | null, passed: boolean): WalkOf | null {
    const { second } = this.walkers;
    if (!second) return null;
    // The walk is shown as far as it goes, whatever it allows.
    second.translate(lowOf(BigInt(gpa)), highOf(BigInt(gpa)), ACCESS_READ | ACCESS_USER);
    return walkOf(second, { tables: this.tables.l0, address: BigInt(gpa), made, passed });
  }

  /** The entries that decide now and in the end. */
  private mark(now: Judged | null, { decided }: Ended): void {
    const { attempt } = this;
    if (now?.deciding) {
      const { level, bit } = now.deciding;
      const first = this.walks.find(({ table }) => table === this.firstTables.table);
      const walk =
        attempt!.outcome === Outcome.pageFault
          ? first
          : attempt!.reading === null
            ? (first?.then ?? this.walks.find(({ table }) => table === this.tables.l0.table))
            : first?.entries.find((entry) => entry.level === attempt!.reading)?.via;
      if (walk) markDeciding(walk, level, bit, now.verdict.kind);
    }
    if (decided && (!now || now.verdict.kind === 'exit')) {
      const { judged, tables } = decided;
      const walk = this.walks.find(({ table }) => table === tables.table);
      if (walk && judged.deciding) markDeciding(walk, judged.deciding.level, judged.deciding.bit, judged.verdict.kind);
    }
  }

  /** Addresses on the way to where the access got, or would get. */
  private stations(verdict: Verdict, end: Ended): readonly Station[] {
    const hpa = this.attempt?.hpa ?? null;
    if (hpa !== null && hpa !== end.hpa) {
      const found = backwards(this.state, hpa, end.stations[0], this.served ? 'TLB' : this.lastTables);
      this.notes.push(`${this.served ? 'the TLB is stale' : `${this.lastTables} is stale`}: memory says ${sentence(end.verdict)}`);
      return found;
    }
    return verdict.kind === end.verdict.kind ? end.stations : end.stations.slice(0, 1);
  }

  private get served(): boolean {
    return this.made !== null && this.made.first.served !== null;
  }

  /** The tables whose entries give host-physical addresses. */
  private get lastTables(): string {
    return this.tables.l0.table;
  }

  /** Says what the guest's tables allow, when no access was asked about, and which of them the second stage has not got. */
  private sayRights(): void {
    const { guest, second, hardware } = this.walkers;
    if (!hardware) this.notes.push(`no ${this.tables.l0.table} yet`);
    if (guest && this.asked === null) {
      guest.translate(lowOf(this.address), highOf(this.address), this.access);
      if (guest.status === Walk.ok || guest.status === Walk.denied) this.notes.push(rightsText(guest));
    }
    const own = this.walks.find(({ table }) => table === this.firstTables.table);
    const missing = second && own ? own.entries.filter(({ via }) => via !== null && via.reached === null).length : 0;
    if (missing > 0) this.notes.push(`${plural(missing, 'table')} on the way not in ${this.tables.l0.table}`);
    if (this.made?.stale && !this.served) this.notes.push('a paging-structure cache is stale');
  }

  private cached(end: Ended): CachedTranslation | null {
    const { hardware } = this.walkers;
    const [line] = hardware ? cachedLines(this.state, hardware.processor, hardware.registers, this.address) : [];
    if (!line) return null;
    const tables = this.tablesLead() ?? end.hpa;
    const stale = tables === line.hpa ? null : `the tables lead ${tables === null ? 'nowhere' : `to hpa ${hex(tables)}`}`;
    return { text: cachedText(line), serves: this.served, stale };
  }

  /** Host-physical address by the tables in hardware, as memory has them. */
  private tablesLead(): number | null {
    const { second } = this.walkers;
    const walker = this.firstWalker;
    let at = Number(this.address & 0xffff_ffffn);
    if (walker) {
      walker.translate(lowOf(this.address), highOf(this.address), this.access);
      if (walker.status !== Walk.ok && walker.status !== Walk.denied) return null;
      at = addressOf(walker.outLo, walker.outHi);
    }
    if (!second) return walker ? at : null;
    second.translate(lowOf(BigInt(at)), highOf(BigInt(at)), ACCESS_READ | ACCESS_USER);
    return second.status === Walk.ok ? addressOf(second.outLo, second.outHi) : null;
  }

  /** Bits above the linear address's width all equal its highest bit (§2.9); narrower paging takes what it gets. */
  private canonical(): boolean {
    const levels = this.walkers.guest?.format.levels ?? 2;
    if (levels < 4) return true;
    const bits = levels === 5 ? 57 : 48;
    return BigInt.asUintN(64, BigInt.asIntN(bits, this.address)) === this.address;
  }
}

/** `→ hpa 0x61_0123 · exits first: EPT violation: EPT1[9] is not present`. */
function outcomeOf(now: Verdict | null, end: Verdict): string {
  return joined(sentence(end), now !== null && now !== end && `exits first: ${sentence(now)}`);
}

/** `user rw-, supervisor rw-` */
function rightsText(walker: Walker): string {
  const { policy, keys, pkru, pkrs, rights, key } = walker;
  const allows = (access: number): boolean =>
    permits(policy, rights, access | Access.ac) && (keys === 0 || !keyDenies(keys, pkru, pkrs, policy, rights, key, access));
  const letters = (who: number): string =>
    `${allows(who | ACCESS_READ) ? 'r' : '-'}${allows(who | ACCESS_WRITE) ? 'w' : '-'}${allows(who | ACCESS_FETCH) ? 'x' : '-'}`;
  return `user ${letters(ACCESS_USER)}, supervisor ${letters(0)}`;
}
