/** Numbers of a trace: exits by reason and by place, pages, time. */
import { Frequent, type Counted } from '../bounded';
import { isByTheWay } from '../episodes/exit';
import type { FaultCode } from '../episodes/fault-code';
import { placeOf, type Episode, type Place } from '../episodes/episode';
import { durationOf } from '../folding/run';
import { OverTime } from './over-time';

interface ReasonCount extends Counted {
  /** Time from these exits to the next entry, where it is seen: together, how many, the longest, as the clock has it. */
  time: number;
  timed: number;
  longest: number;
  /** Instructions that they came from. */
  readonly rips: Frequent<bigint, Counted>;
}

interface PageCount extends Counted {
  readonly space: Place['space'];
  /** Of the page, or of the instruction. */
  readonly address: bigint;
  /** Of the first exit there. */
  readonly reason: string;
}

interface CodeCount extends Counted {
  readonly code: FaultCode;
}

const MOST_CODES = 256;
const MOST_PAGES = 1 << 15;
const MOST_RIPS = 256;

export class Summary {
  episodes = 0;
  exits = 0;
  /** First and last time of an exit. */
  from: number | null = null;
  to: number | null = null;
  readonly reasons = new Map<string, ReasonCount>();
  readonly pages = new Frequent<string, PageCount>(MOST_PAGES);
  /** Leaves that faults set, by level. */
  readonly levels: { [level: number]: number } = {};
  readonly overTime = new OverTime();
  /** Codes of page faults. */
  readonly codes = new Frequent<bigint, CodeCount>(MOST_CODES);

  add(episode: Episode): void {
    this.episodes++;
    const { exit, fault, deeds, line, time } = episode;
    const mapped = deeds.mapped ?? null;
    if (mapped) this.levels[mapped.first.level] = (this.levels[mapped.first.level] ?? 0) + mapped.count;
    if (!exit && !fault) return;
    this.exits++;
    const name = reasonIn(episode);
    if (time !== null) {
      this.from ??= time;
      this.to = time;
      this.overTime.add(name, time);
    }
    const reason = this.reasonOf(name, line);
    reason.count++;
    if (episode.ends === 'entry' && exit) {
      const duration = durationOf(episode);
      reason.time += duration;
      reason.timed++;
      reason.longest = Math.max(reason.longest, duration);
    }
    if (fault) this.codes.add(fault.code.code, () => ({ count: 1, line, code: fault.code }));
    const rip = exit?.rip ?? null;
    if (rip !== null) reason.rips.add(rip, () => ({ count: 1, line }));
    const place = placeOf(episode);
    // Where an interrupt came says nothing of the place.
    if (place && !(exit && isByTheWay(exit))) this.addPlace(place, name, line);
  }

  /** The most frequent first. */
  byReason(): readonly (readonly [string, ReasonCount])[] {
    return [...this.reasons].sort(([, a], [, b]) => b.count - a.count);
  }

  private reasonOf(name: string, line: number): ReasonCount {
    let reason = this.reasons.get(name);
    if (!reason) {
      reason = { count: 0, line, time: 0, timed: 0, longest: 0, rips: new Frequent(MOST_RIPS) };
      this.reasons.set(name, reason);
    }
    return reason;
  }

  private addPlace({ space, address }: Place, reason: string, line: number): void {
    const start = space === 'rip' ? address : address & ~0xfffn;
    this.pages.add(`${space}${start}`, () => ({ count: 1, line, space, address: start, reason }));
  }
}

/** The exit's reason; faults whose exits were not recorded have a name of their own. */
function reasonIn({ exit, nested }: Episode): string {
  if (!exit) return 'kvm_page_fault';
  return nested ? `${exit.reason} of L2` : exit.reason;
}
