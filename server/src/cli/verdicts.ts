/** What the expectations of a script came to with one kernel, and where another says otherwise. */
import { expectationText } from '../api/engine';
import type { RunView } from '../api/engine';

/** One execution of an expectation. */
interface Verdict {
  readonly holds: boolean;
  readonly got: string;
  /** What is expected. */
  readonly text: string;
  readonly origin: number;
  /** Index of its program. */
  readonly program: number;
}

/** By program, statement and turn. */
export type Verdicts = ReadonlyMap<string, Verdict>;

export function verdictsOf(views: readonly RunView[]): Verdicts {
  const verdicts = new Map<string, Verdict>();
  views.forEach((view, program) => {
    const turns = new Map<number, number>();
    for (const outcome of view.record.outcomes) {
      const { origin, result } = outcome;
      if (result.kind !== 'expectation') continue;
      const turn = turns.get(origin) ?? 0;
      turns.set(origin, turn + 1);
      const { holds, got } = result;
      verdicts.set(`${program}:${origin}:${turn}`, { holds, got, text: expectationText(view, outcome), origin, program });
    }
  });
  return verdicts;
}

/** An expectation that holds with one kernel and fails with the next. */
export interface Change {
  /** Its first execution that changes. */
  readonly key: string;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Executions that change, of all. */
  readonly changed: number;
  readonly executed: number;
}

/** Each expectation of each run once; those that only one of both has are not compared. */
export function changesOf(before: Verdicts, after: Verdicts): readonly Change[] {
  const changes = new Map<string, Change>();
  const executed = new Map<string, number>();
  for (const [key, one] of before) {
    const other = after.get(key);
    if (!other) continue;
    const of = `${one.program}:${one.origin}`;
    executed.set(of, (executed.get(of) ?? 0) + 1);
    if (one.holds === other.holds) continue;
    const known = changes.get(of);
    if (known) changes.set(of, { ...known, changed: known.changed + 1 });
    else changes.set(of, { key, before: one, after: other, changed: 1, executed: 0 });
  }
  return [...changes].map(([of, change]) => ({ ...change, executed: executed.get(of)! }));
}
