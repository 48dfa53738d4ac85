/** The statement that a row belongs to, as this execution of it came out: result, exits, and what was expected of it. */
import { exitsText, totalExits } from '../events/exits';
import { plural } from '../events/wording';
import type { StatementView } from '../protocol/messages';
import type { Outcome } from '../run/record';
import { cameTo } from './came-to';
import { executionOf, performedText } from './execution';
import { expectationText } from './outcome';
import type { RunView } from './view';

/** Index among the outcomes of the act whose rows a row is of; -1: it is of none. */
export function indexAt({ record: { outcomes } }: RunView, row: number): number {
  let low = 0;
  let high = outcomes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (outcomes[middle].from <= row) low = middle + 1;
    else high = middle;
  }
  // Expectations have no rows of their own: the act stands before them.
  for (let at = low - 1; at >= 0; at--)
    if (outcomes[at].to > row && outcomes[at].act >= 0) return at;
    else if (outcomes[at].to <= row && outcomes[at].result.kind !== 'expectation') return -1;
  return -1;
}

/** The outcome of the act that a row is of; null in the set-up. */
export function outcomeAt(view: RunView, row: number): Outcome | null {
  return view.record.outcomes[indexAt(view, row)] ?? null;
}

export function statementView(view: RunView, row: number): StatementView | null {
  const { outcomes, program } = view.record;
  const index = indexAt(view, row);
  if (index < 0) return null;
  const outcome = outcomes[index];
  const execution = executionOf(view.script, program, outcome.origin, outcome.act);
  const expectations = [];
  for (let at = index + 1; at < outcomes.length; at++) {
    const { result } = outcomes[at];
    if (result.kind !== 'expectation') break;
    expectations.push({ text: expectationText(view, outcomes[at]), holds: result.holds, got: result.got });
  }
  const exits = totalExits(outcome.exits);
  return {
    text: performedText(view.script, program, outcome.origin, outcome.act),
    line: execution?.place.range.start.line ?? null,
    verdict: cameTo(view, outcome),
    exits: exits === 0 ? 'no exit' : `${plural(exits, 'exit')} (${exitsText(outcome.exits)})`,
    references: outcome.references,
    expectations,
  };
}
