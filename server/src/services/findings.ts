/** What runs found: expectations that failed, and acts that KVM refused without the script expecting it. */
import type { Outcome } from '../run/record';
import { expectationText } from '../views/outcome';
import { plural } from '../events/wording';
import type { RunView } from '../views/view';
import type { Analysis } from '../language/analysis';
import { grouped, kindsOf, listed } from './places';

export interface Finding {
  readonly kind: 'failed' | 'refused';
  readonly code: string;
  readonly origin: number;
  readonly message: string;
}

interface Single {
  readonly kind: Finding['kind'];
  readonly code: string;
  readonly origin: number;
  readonly text: string;
  readonly kinds: string;
}

/** Different messages of one statement, which a loop executes many times. */
const MOST_MESSAGES = 4;

/** In the order of the text; the same under several kinds is one finding that names them. */
export function runFindings(analysis: Analysis, views: readonly RunView[]): Finding[] {
  const singles = views.flatMap((view) => [...findingsOf(view)]);
  return grouped(singles, ({ origin }) => origin)
    .filter(({ said }) => analysis.statements[said] !== undefined)
    .sort((a, b) => a.said - b.said)
    .flatMap(({ said: origin, of }) => {
      const messages = grouped(of, ({ text }) => text);
      const shown = messages.slice(0, messages.length > MOST_MESSAGES ? 1 : MOST_MESSAGES);
      const rest = of.length - shown.reduce((sum, each) => sum + each.of.length, 0);
      return shown.map(({ of: same }): Finding => {
        const [{ kind, code }] = same;
        return {
          kind,
          code,
          origin,
          message: `${messageOf(same, views.length > 1)}${rest > 0 ? `, and otherwise ${plural(rest, 'more time')}` : ''}`,
        };
      });
    });
}

/** What was found, under which kinds, how often under each. */
function messageOf(same: readonly Single[], named: boolean): string {
  const kinds = [...new Set(same.map((each) => each.kinds))];
  const times = Math.round(same.length / kinds.length);
  return `${same[0].text}${named ? ` (under ${listed(kinds).join('; ')})` : ''}${times > 1 ? `, ${plural(times, 'time')}` : ''}`;
}

function* findingsOf(view: RunView): Generator<Single> {
  const { record } = view;
  const kinds = kindsOf(record.program);
  const { outcomes } = record;
  for (let i = 0; i < outcomes.length; i++) {
    const { origin, result, act } = outcomes[i];
    if (result.kind === 'expectation') {
      if (!result.holds)
        yield {
          kind: 'failed',
          code: 'expectation-failed',
          origin,
          text: `expected ${expectationText(view, outcomes[i])}, got ${result.got}`,
          kinds,
        };
    } else if (result.kind === 'error' && !errorExpected(record.program.acts, outcomes, i)) {
      const slot = act < 0 || record.program.acts[act].do === 'set-slot';
      yield { kind: 'refused', code: slot ? 'slot-refused' : 'act-failed', origin, text: `${result.errno}: ${result.why}`, kinds };
    }
  }
}

/** One of the expectations right behind an act speaks of an errno: then that says whether it is right. */
function errorExpected(acts: RunView['record']['program']['acts'], outcomes: readonly Outcome[], at: number): boolean {
  for (let i = at + 1; i < outcomes.length && outcomes[i].result.kind === 'expectation'; i++) {
    const act = acts[outcomes[i].act];
    if (act?.do === 'expect' && act.what.kind === 'error') return true;
  }
  return false;
}
