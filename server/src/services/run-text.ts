/** What a statement came to under each kind of a run, in words: hints show the short form, their tooltips the long one. */
import type { RunView } from '../views/view';
import type { Outcome } from '../run/record';
import { exitsText, totalExits } from '../events/exits';
import { cameToText } from '../views/came-to';
import { outcomeText, resultText, statementOutcome } from '../views/outcome';
import type { StatementOutcome } from '../views/outcome';
import { hex, joined, plural } from '../events/wording';
import { grouped, kindsOf, listed } from './places';

/** A statement's outcome under one kind. */
interface KindOutcome {
  readonly view: RunView;
  readonly kinds: string;
  readonly outcome: StatementOutcome;
}

/** Views of the programs that executed a statement, with what it came to. */
export function outcomesByKind(views: readonly RunView[], origin: number): KindOutcome[] {
  const found: KindOutcome[] = [];
  for (const view of views) {
    const outcome = statementOutcome(view, origin);
    if (outcome && outcome.outcomes.length > 0) found.push({ view, kinds: kindsOf(view.record.program), outcome });
  }
  return found;
}

/**
 * The short form. The same under all kinds: `→ hpa 0x61_0123 · 1 exit`. Otherwise what is the same is said once:
 * `→ gpa 0x20_0123 · soft 1 exit | ept, npt 5 exits`, or each for itself: `soft #PF P | ept → hpa 0x5000`.
 */
export function shortText(all: readonly KindOutcome[], withExits: boolean): string {
  const whole = (each: KindOutcome): string => (withExits ? each.outcome.text : withoutExits(each.outcome));
  const groups = grouped(all, whole);
  if (groups.length <= 1) return groups[0]?.said ?? '';
  const same = grouped(all, ({ outcome }) => withoutExits(outcome));
  const results = same.length === 1 ? same : grouped(all, ({ outcome }) => resultOnly(outcome));
  if (results.length > 1) return groups.map(({ said, of }) => `${names(of)} ${said || 'done'}`).join(' | ');
  const exits = withExits ? grouped(all, ({ outcome }) => exitsOf(outcome)) : [];
  if (exits.length <= 1) return joined(results[0].said, exits[0] && exits[0].said > 0 && plural(exits[0].said, 'exit'));
  return joined(results[0].said, exits.map(({ said, of }) => `${names(of)} ${plural(said, 'exit')}`).join(' | '));
}

/** The long form, as Markdown: for each kind what happened, at what cost, and where it led. */
export function longText(all: readonly KindOutcome[]): string {
  return grouped(all, detail)
    .map(({ said, of }) => (all.length > 1 ? `**${names(of)}**: ${said}` : said))
    .join('\n\n');
}

function names(of: readonly KindOutcome[]): string {
  return listed(of.map(({ kinds }) => kinds)).join('; ');
}

function exitsOf({ outcomes }: StatementOutcome): number {
  return outcomes.reduce((sum, each) => sum + totalExits(each.exits), 0);
}

/** Results without what they cost. Host-physical addresses differ from kind to kind: frames are given out as touched. */
function resultOnly({ outcomes }: StatementOutcome): string {
  const [first, ...more] = grouped(outcomes, ({ result }) =>
    result.kind === 'ok' && result.gpa !== null ? `→ gpa ${hex(result.gpa)}` : resultText(result),
  );
  return more.length === 0 ? joined(first.said, outcomes.length > 1 && plural(outcomes.length, 'time')) : plural(outcomes.length, 'time');
}

function withoutExits({ result }: StatementOutcome): string {
  return result;
}

function detail({ view, outcome: { outcomes } }: KindOutcome): string {
  if (outcomes.length > 1) return manyDetail(view, outcomes);
  const [outcome] = outcomes;
  const { result } = outcome;
  const addresses =
    result.kind === 'ok'
      ? joined(
          result.gpa !== null && `gpa \`${hex(result.gpa)}\``,
          result.hva !== null && `hva \`${hex(result.hva)}\``,
          result.hpa !== null && `hpa \`${hex(result.hpa)}\``,
          result.value !== null && `value \`${hex(result.value)}\``,
        )
      : '';
  const said = addresses || cameToText(view, outcome) || resultText(result) || 'done';
  return [said, costs(outcome)].filter(Boolean).join('; ');
}

function costs({ exits, references }: Outcome): string {
  const total = totalExits(exits);
  return joined(
    total > 0 ? `${plural(total, 'exit')} (${exitsText(exits)})` : 'no exit',
    references > 0 && `${references} paging-structure ${references === 1 ? 'entry' : 'entries'} read`,
  );
}

/** Executions listed each for itself. */
const MOST_LISTED = 8;

function manyDetail(view: RunView, outcomes: readonly Outcome[]): string {
  const lines = outcomes.slice(0, MOST_LISTED).map((each, index) => `${index + 1}. ${outcomeText(view, each) || 'done'}`);
  const rest = outcomes.length - lines.length;
  return `executed ${plural(outcomes.length, 'time')}\n\n${lines.join('\n')}${rest > 0 ? `\n\n… and ${rest} more` : ''}`;
}
