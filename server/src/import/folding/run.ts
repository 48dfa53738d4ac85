/** Episodes of a task that follow each other and are alike, as one; and several of these that come again and again. */
import { shapeOf } from '../episodes/deeds';
import { placeOf, shapeOfEpisode, type Episode, type Place } from '../episodes/episode';

export interface Run {
  readonly first: Episode;
  last: Episode;
  count: number;
  shape: string;
  /** Of the first. */
  readonly place: Place | null;
  /** All are at the place of the first. */
  stays: boolean;
  /** Bounds of the addresses, when it does not stay. */
  low: bigint;
  high: bigint;
  /** Addresses of a run that moves, up to a number of them; null: more. None comes twice as long as they are kept. */
  places: Set<bigint> | null;
  /** Exits between them that have nothing to do with what the guest was doing. */
  interrupted: number;
  /** Nanoseconds or ticks from the beginning of the first to that of the last. */
  readonly from: number | null;
  to: number | null;
  /** The same between exits and entries, all together. */
  handled: number;
}

export interface Folded {
  readonly body: readonly Run[];
  /** How often the body comes. */
  times: number;
  /** The episode of the task behind it, where the repetition ends; null: the trace ends. */
  differs: Episode | null;
}

const MOST_PLACES = 64;

export function runOf(episode: Episode): Run {
  const place = placeOf(episode);
  const address = place?.address ?? 0n;
  return {
    first: episode,
    last: episode,
    count: 1,
    shape: shapeOfEpisode(episode),
    place,
    stays: true,
    low: address,
    high: address,
    places: new Set(),
    interrupted: 0,
    from: episode.time,
    to: episode.time,
    handled: durationOf(episode),
  };
}

export function durationOf({ time, until }: Episode): number {
  return time !== null && until !== null && until > time ? until - time : 0;
}

/** Adds an episode that is like those of a run. False: it is not, or it would blur where the run stays and where it moves. */
export function joins(run: Run, episode: Episode): boolean {
  const shape = shapeOfEpisode(episode);
  const same = shape === run.shape || isTheRestOf(run, episode);
  if (!same && !isBeginningOf(run, episode)) return false;
  const place = same ? placeOf(episode) : run.place;
  if (place?.space !== run.place?.space) return false;
  const address = place?.address ?? 0n;
  const stays = address === (placeOf(run.last)?.address ?? 0n);
  if (run.count > 1 && stays !== run.stays) return false;
  // Back at a place where it has been: something has happened in between.
  if (!stays && run.places?.has(address)) return false;
  // What the first one did not show yet.
  if (run.count === 1) run.shape = same ? shape : run.shape;
  run.stays = stays;
  run.count++;
  if (same) run.last = episode;
  else run.last = { ...run.last, lastLine: episode.lastLine };
  run.to = episode.time;
  run.handled += durationOf(episode);
  if (address < run.low) run.low = address;
  if (address > run.high) run.high = address;
  if (!stays && run.places) {
    if (run.count === 2) run.places.add(run.place?.address ?? 0n);
    run.places.add(address);
    if (run.places.size > MOST_PLACES) run.places = null;
  }
  return true;
}

/** The trace began in the middle of the first one: this one is like what it shows. */
function isTheRestOf({ first, count }: Run, { fault, deeds, ends }: Episode): boolean {
  if (count > 1 || first.partial !== 'beginning' || !first.fault || !fault || first.ends !== ends) return false;
  return first.fault.code.code === fault.code.code && shapeOf(first.deeds) === shapeOf(deeds);
}

/** The trace ends in the middle of this one: it begins like the others, at the same place. */
function isBeginningOf({ last }: Run, { partial, exit, fault, deeds }: Episode): boolean {
  if (partial !== 'end' || !exit || last.exit?.reason !== exit.reason || last.exit.rip !== exit.rip) return false;
  if (fault && (fault.address !== last.fault?.address || fault.code.code !== last.fault.code.code)) return false;
  const shape = shapeOf(deeds);
  return shapeOf(last.deeds).startsWith(shape);
}

/** What a run must have in common with another one to be the same part of a loop. */
export function keyOf({ shape, place, count, stays, places }: Run): string {
  const where = stays ? (place?.address.toString(16) ?? '') : places ? [...places].map((each) => each.toString(16)).join() : 'many';
  return `${count}|${where}|${shape}`;
}

/** Episodes in it. */
export function episodesIn({ body, times }: Folded): number {
  return body.reduce((sum, { count }) => sum + count, 0) * times;
}

/** A guest comes back to the same place: it does not get on. */
export function isLoop({ body, times }: Folded): boolean {
  const [run] = body;
  if (!run.first.exit && !run.first.fault) return false;
  return times > 1 || (run.count > 1 ? run.stays : comesBack(run.first));
}

/** A fault at the instruction at which the guest had just been entered, of which nothing came: it has not got on, and will not. */
function comesBack({ exit, fault, deeds, entered, ends }: Episode): boolean {
  if (!fault || exit?.rip === null || exit?.rip === undefined || entered?.rip !== exit.rip || ends !== 'entry') return false;
  const { fast, ...others } = deeds;
  return fast?.result !== 'fixed' && Object.keys(others).length === 0;
}
