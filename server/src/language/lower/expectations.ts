/** Expectations of one act: each by its kind, and what they say of the act's outcome together. */
import type { Act } from '../../engine/program';
import { expectationKind } from '../expectations/kinds';
import type { Ends } from '../kind';
import type { Env } from '../semantics/values';
import { HOST_ACT_ENDS } from '../statements/host/kinds';
import { statementKind } from '../statements/kinds';
import type { ErrorNode, Expect, Expectation, HostAct, Statement } from '../syntax/tree';
import type { Frame, ScriptLowering } from './script';

type Known = Exclude<Expectation, ErrorNode>;
type Acting = Statement | HostAct;

/**
 * Expectations of one act, all of which hold for the run's kinds of MMU.
 *
 * @param of the act; null: they stand alone
 * @param acted something was done before them
 */
export function lowerExpect(
  script: ScriptLowering,
  expects: readonly Expect[],
  of: Acting | null,
  frame: Frame,
  out: Act[],
  acted: boolean,
): void {
  const all = expects.flatMap((expect) => expect.of).filter((node) => node.kind !== 'error');
  checkTogether(script, all, of, frame.env, acted);
  for (const node of all) {
    for (const what of expectationKind(node).lower(script, node, frame)) {
      script.emit({ do: 'expect', origin: script.statements.of(node), by: script.performer(frame), what }, out, node, frame.env);
    }
  }
}

/** Which outcomes the act can have, and that the expectations agree with each other. */
function checkTogether({ context }: ScriptLowering, all: readonly Known[], of: Acting | null, env: Env, acted: boolean): void {
  const ends = of && endsOf(of);
  let first: Known | null = null;
  for (const node of all) {
    const { outcome: outcomeOf, ofLastAct } = expectationKind(node);
    const outcome = outcomeOf(node);
    if (!of && !acted && (outcome !== null || ofLastAct)) {
      context.report(env, node, 'nothing-before', 'nothing was done before this expectation');
    }
    if (outcome === null) continue;
    if (ends && !ends.outcomes.includes(outcome)) context.report(env, node, 'not-of-this-act', `${ends.called} does not end so`);
    if (outcome === 'value' && of?.kind === 'access' && of.access === 'fetch') {
      context.report(env, node, 'not-of-this-act', 'a fetch gives no value');
    }
    if (outcome === 'value' || outcome === 'address') continue;
    if (first && expectationKind(first).outcome(first) !== outcome) {
      const related = [{ file: env.file, node: first, message: 'the other' }];
      context.report(env, node, 'contradiction', 'one act cannot end in both ways', { related });
    }
    first ??= node;
  }
}

function endsOf(act: Acting): Ends | null {
  if (act.kind === 'error') return null;
  return act.kind === 'host-act' ? HOST_ACT_ENDS : statementKind(act).ends;
}
