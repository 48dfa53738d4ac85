/** Finds runs that come again in the same order: `A B C A B C` as three runs, twice. */
import type { Episode } from '../episodes/episode';
import { keyOf, type Folded, type Run } from './run';

/** Runs in a loop at most. */
const LONGEST = 8;

interface Keyed {
  readonly run: Run;
  readonly key: string;
  /** The episode behind it. */
  readonly next: Episode | null;
}

export class LoopFinder {
  /** Runs that a loop could begin with. */
  private waiting: Keyed[] = [];
  private loop: { readonly body: readonly Keyed[]; readonly folded: Folded; readonly begun: Keyed[] } | null = null;

  constructor(private readonly onFolded: (folded: Folded) => void) {}

  take(run: Run, next: Episode | null): void {
    const keyed = { run, key: keyOf(run), next };
    if (this.loop && this.goesOn(keyed)) return;
    this.waiting.push(keyed);
    this.find();
    while (this.waiting.length > 2 * LONGEST) this.single(this.waiting.shift()!);
  }

  end(): void {
    if (this.loop) this.endLoop(null);
    for (const each of this.waiting) this.single(each);
    this.waiting = [];
  }

  /** The run is the next one of the loop; else the loop has ended. */
  private goesOn(keyed: Keyed): boolean {
    const { body, folded, begun } = this.loop!;
    if (keyed.key !== body[begun.length].key) {
      this.endLoop(keyed.run.first);
      return false;
    }
    begun.push(keyed);
    if (begun.length === body.length) {
      folded.times++;
      // What comes last is shown with the first: one place where it stands is enough.
      folded.body.forEach((run, i) => {
        run.last = begun[i].run.last;
        run.to = begun[i].run.to;
        run.interrupted += begun[i].run.interrupted;
        run.handled += begun[i].run.handled;
      });
      begun.length = 0;
    }
    return true;
  }

  private endLoop(differs: Episode | null): void {
    const { folded, begun } = this.loop!;
    this.loop = null;
    folded.differs = begun[0]?.run.first ?? differs;
    this.onFolded(folded);
    // A round that was not finished stands by itself, before what follows.
    this.waiting = [...begun];
  }

  private find(): void {
    const { waiting } = this;
    for (let length = 1; length <= LONGEST && 2 * length <= waiting.length; length++) {
      const from = waiting.length - 2 * length;
      let same = true;
      for (let i = 0; same && i < length; i++) same = waiting[from + i].key === waiting[from + length + i].key;
      if (!same) continue;
      for (const each of waiting.slice(0, from)) this.single(each);
      const body = waiting.slice(from, from + length);
      const again = waiting.slice(from + length);
      this.waiting = [];
      this.loop = { body, folded: { body: body.map(({ run }) => run), times: 1, differs: null }, begun: [] };
      for (const each of again) this.goesOn(each);
      return;
    }
  }

  private single({ run, next }: Keyed): void {
    this.onFolded({ body: [run], times: 1, differs: next });
  }
}
