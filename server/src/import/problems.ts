/** What is wrong with a trace, by lines: what could be read stays. */

type ProblemKind = 'unread-text' | 'cut-line' | 'clock' | 'lost-events' | 'two-kernels' | 'two-vendors' | 'not-a-trace' | 'unpacking';

export interface TraceProblem {
  readonly kind: ProblemKind;
  /** From 1; 0: of the whole. */
  readonly line: number;
  readonly message: string;
  /** How often. */
  count: number;
}

/** Problems, each kind by its first line and its number. */
export class Problems {
  private readonly byKey = new Map<string, TraceProblem>();

  /** @param about tells several of a kind apart */
  add(kind: ProblemKind, line: number, message: string, about = ''): void {
    const key = `${kind} ${about}`;
    const before = this.byKey.get(key);
    if (before) before.count++;
    else if (this.byKey.size < MOST) this.byKey.set(key, { kind, line, message, count: 1 });
  }

  /** By their lines. */
  all(): readonly TraceProblem[] {
    return [...this.byKey.values()].sort((a, b) => a.line - b.line);
  }
}

const MOST = 100;
