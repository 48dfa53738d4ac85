/** Folds the episodes of a task as they come; what it holds is bounded. */
import { isByTheWay } from '../episodes/exit';
import type { Episode } from '../episodes/episode';
import { LoopFinder } from './loop-finder';
import { joins, runOf, type Folded, type Run } from './run';

export class Folder {
  private run: Run | null = null;
  /** Exits by the way, behind the run: they do not end it as long as it goes on. */
  private aside: Episode[] = [];
  private readonly loops: LoopFinder;

  constructor(onFolded: (folded: Folded) => void) {
    this.loops = new LoopFinder(onFolded);
  }

  take(episode: Episode): void {
    const { run, aside } = this;
    if (run && joins(run, episode)) {
      run.interrupted += aside.length;
      this.aside = [];
      return;
    }
    if (run && run.count > 1 && aside.length < MOST_ASIDE && episode.exit && isByTheWay(episode.exit)) {
      aside.push(episode);
      return;
    }
    this.settle(episode);
    this.run = runOf(episode);
  }

  end(): void {
    this.settle(null);
    this.loops.end();
  }

  /** The run is over; what was by the way is folded by itself. */
  private settle(next: Episode | null): void {
    const { run, aside } = this;
    this.run = null;
    this.aside = [];
    if (!run) return;
    this.loops.take(run, aside[0] ?? next);
    let rest: Run | null = null;
    for (const episode of aside) {
      if (rest && joins(rest, episode)) continue;
      if (rest) this.loops.take(rest, episode);
      rest = runOf(episode);
    }
    if (rest) this.loops.take(rest, next);
  }
}

const MOST_ASIDE = 8;
