/** A step of the run as something that leads there. */
import type { StateLink } from '../../protocol/state';
import type { RunView } from '../view';

/** @param what said before it */
export function stepLink(view: RunView, step: number, what = ''): StateLink {
  const [{ actor, event, text }] = view.steps.rows(step, 1);
  return { text: `${what}step ${step} · ${event === 'statement' ? text : `${actor}: ${event} ${text}`.trimEnd()}`, step, node: null };
}
