/** A run as lists of runs name it. */
import { Actor } from '../engine/journal/events';
import { ROW_WORDS } from '../engine/journal/journal';
import type { RunInfo, StepActor } from '../protocol/messages';
import { isEvent } from '../events/fields';
import { endedText, tally } from './outcome';
import type { RunView } from './view';

type RunKey = Pick<RunInfo, 'runId' | 'uri' | 'version' | 'index' | 'until'>;

export function runInfo(view: RunView, key: RunKey): RunInfo {
  const { record, steps } = view;
  const { held, failed } = tally(record.outcomes);
  return {
    ...key,
    name: record.program.name,
    steps: steps.length,
    actors: actorsOf(view),
    older: false,
    ended: endedText(record.ended),
    passed: held,
    failed,
  };
}

/** From the outermost guest inwards to the processor: L2, L1, L0, processor; the VMM's process last. */
const LANES: readonly Actor[] = [Actor.L2, Actor.L1, Actor.L0, Actor.processor, Actor.user];

function actorsOf({ record }: RunView): StepActor[] {
  const seen = new Set<Actor>();
  for (let row = 0; row < record.length; row++) if (isEvent(record, row)) seen.add((record.words[row * ROW_WORDS] >>> 8) & 15);
  return LANES.filter((actor) => seen.has(actor)).map((actor) => Actor[actor] as StepActor);
}
