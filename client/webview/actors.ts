/** Who acts, in the order of the lanes: from the innermost guest out to the host's process. */
import type { StepActor } from '../../server/src/protocol/messages';

interface ActorName {
  readonly actor: StepActor;
  /** Head of its lane. */
  readonly short: string;
  readonly name: string;
}

export const ACTORS: readonly ActorName[] = [
  { actor: 'L2', short: 'L2', name: 'L2, the nested guest' },
  { actor: 'L1', short: 'L1', name: 'L1, the guest' },
  { actor: 'processor', short: 'CPU', name: 'the processor' },
  { actor: 'L0', short: 'L0', name: 'L0, KVM on the host' },
  { actor: 'user', short: 'VMM', name: "the host's process" },
];

export function actorName(actor: StepActor): ActorName {
  return ACTORS.find((each) => each.actor === actor) ?? { actor, short: actor, name: actor };
}
