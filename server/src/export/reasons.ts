/** What decides each outcome, of the first ones of a run: telling it goes through the journal again, some milliseconds each. */
import type { Outcome } from '../run/record';
import { cameTo } from '../views/came-to';
import type { RunView } from '../views/view';

export const MOST_REASONS = 500;

export class Reasons {
  /** How many more are told; below 0: so many were not. */
  left = MOST_REASONS;

  constructor(private readonly view: RunView) {}

  /** `PT[9].P = 0, user write`; null where nothing stops the access, or where there are too many. */
  of(outcome: Outcome): string | null {
    return this.verdict(outcome)?.why ?? null;
  }

  verdict(outcome: Outcome): { readonly why: string; readonly section: string | null } | null {
    const { kind } = outcome.result;
    if (kind === 'expectation' || kind === 'ok' || kind === 'done' || kind === 'dirty-log') return null;
    if (kind !== 'error' && --this.left < 0) return null;
    const found = cameTo(this.view, outcome);
    return found && found.why !== null ? { why: found.why, section: found.section } : null;
  }
}
