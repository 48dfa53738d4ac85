/** What statements came to, in a few words: inlay hints, the terminal and JSON show these. */
import type { Result } from '../engine/result';
import type { Ended, Outcome } from '../run/record';
import { totalExits } from '../events/exits';
import { bytes, joined, pageRanges, plural } from '../events/wording';
import { bare, cameToShort } from './came-to';
import { executionOf } from './execution';
import type { RunView } from './view';

type Tone = 'ok' | 'fault' | 'error' | 'held' | 'failed';

/** A statement with all its executions summed up. */
export interface StatementOutcome {
  readonly origin: number;
  /** As `→ hpa 0x61_0123 · 2 exits`; empty when there is nothing to say. */
  readonly text: string;
  /** The same without the exits. */
  readonly result: string;
  readonly tone: Tone;
  /** Acts executed, without expectations. */
  readonly outcomes: readonly Outcome[];
  /** The statement's expectations, in order of execution. */
  readonly expectations: readonly Outcome[];
}

/** A failed expectation, for diagnostics and exit status. */
export interface FailedExpectation {
  readonly outcome: Outcome;
  readonly origin: number;
  readonly expected: string;
  readonly got: string;
}

/** Ranges of a dirty log that are shown. */
const MOST_RANGES = 6;

/** A result in the field's words: `→ hpa 0x61_0123`, `#PF(P W U)`, `MMIO read`, `exit EPT_VIOLATION`, `EEXIST`; empty for nothing to say. */
export function resultText(result: Result): string {
  switch (result.kind) {
    case 'dirty-log':
      return result.gpas.length === 0 ? 'nothing dirty' : `dirty ${pageRanges(result.gpas, MOST_RANGES)}`;
    case 'expectation':
      return result.holds ? '✓' : `✗ ${result.got}`;
    default:
      return bare(result)?.what ?? '';
  }
}

export function toneOf(result: Result): Tone {
  switch (result.kind) {
    case 'page-fault':
    case 'general-protection':
    case 'vm-exit':
    case 'shutdown':
      return 'fault';
    case 'error':
      return 'error';
    case 'expectation':
      return result.holds ? 'held' : 'failed';
    default:
      return 'ok';
  }
}

/** `→ hpa 0x61_0123 · 2 exits`, `#PF(W U): PT[9].P = 0 · 1 exit`: result, with what decides, and cost of one outcome. */
export function outcomeText(view: RunView, outcome: Outcome): string {
  return joined(shortResult(view, outcome), exitCount(outcome));
}

export function exitCount({ exits }: Outcome): string {
  const total = totalExits(exits);
  return total > 0 ? plural(total, 'exit') : '';
}

/** `#PF(W U): PT[9].P = 0`. */
function shortResult(view: RunView, outcome: Outcome): string {
  return cameToShort(view, outcome) || resultText(outcome.result);
}

/** All executions of a statement in one line; null when it was not executed. */
export function statementOutcome(view: RunView, origin: number): StatementOutcome | null {
  const all = view.outcomesOf(origin);
  if (all.length === 0) return null;
  const outcomes = all.filter((each) => each.result.kind !== 'expectation');
  const expectations = all.filter((each) => each.result.kind === 'expectation');
  const failed = expectations.some((each) => toneOf(each.result) === 'failed');
  const last = outcomes.at(-1);
  const tone: Tone = failed ? 'failed' : last ? toneOf(last.result) : 'held';
  const result = last ? executionsText(view, outcomes, last) : '';
  const exits = outcomes.reduce((sum, each) => sum + totalExits(each.exits), 0);
  const cost = exits > 0 && `${plural(exits, 'exit')}${outcomes.length > 1 ? ' in all' : ''}`;
  return { origin, text: joined(result, cost), result, tone, outcomes, expectations };
}

function executionsText(view: RunView, outcomes: readonly Outcome[], last: Outcome): string {
  if (outcomes.length === 1) return shortResult(view, last);
  const results = new Set(outcomes.map((each) => resultText(each.result)));
  const said = results.size === 1 ? resultText(last.result) : `last ${resultText(last.result) || 'done'}`;
  return joined(said, plural(outcomes.length, 'time'));
}

/** An expectation as the scenario writes it, with the values of names in it; in the engine's words where it has no place. */
export function expectationText({ script, record }: RunView, { origin, act, result }: Outcome): string {
  if (result.kind !== 'expectation') return '';
  return executionOf(script, record.program, origin, act)?.text ?? result.expected;
}

export function failedExpectations(view: RunView): FailedExpectation[] {
  const failed: FailedExpectation[] = [];
  for (const outcome of view.record.outcomes) {
    const { result } = outcome;
    if (result.kind === 'expectation' && !result.holds) {
      failed.push({ outcome, origin: outcome.origin, expected: expectationText(view, outcome), got: result.got });
    }
  }
  return failed;
}

/** How a run ended, in words. */
export function endedText(ended: Ended): string {
  switch (ended.how) {
    case 'done':
      return 'done';
    case 'not-started':
      return 'not started: nothing was executed';
    case 'cancelled':
      return 'cancelled';
    case 'failed':
      return `the engine failed: ${ended.message.split('\n')[0]}`;
    case 'budget':
      return `stopped: the budget of ${ended.which} is used up (${limitText(ended)})`;
  }
}

function limitText({ which, limit, of = limit }: Extract<Ended, { how: 'budget' }>): string {
  if (which === 'memory') return bytes(limit);
  if (which === 'time') return seconds(limit) === seconds(of) ? seconds(of) : `${seconds(of)}, of which this run had ${seconds(limit)}`;
  return plural(limit, which.slice(0, -1));
}

/** Never 0: a budget of time is some time. */
function seconds(milliseconds: number): string {
  return milliseconds >= 100 ? `${Math.round(milliseconds / 100) / 10} s` : `${Math.max(1, Math.round(milliseconds))} ms`;
}

export interface Tally {
  readonly held: number;
  readonly failed: number;
}

/** A slot that the scenario declares and the machine could not have, as without memory of the host for it. */
export function refusedSlots(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter(({ act, result }) => act < 0 && result.kind === 'error');
}

/** Expectations of outcomes, counted. */
export function tally(outcomes: readonly Outcome[]): Tally {
  let held = 0;
  let failed = 0;
  for (const { result } of outcomes) {
    if (result.kind !== 'expectation') continue;
    if (result.holds) held++;
    else failed++;
  }
  return { held, failed };
}
