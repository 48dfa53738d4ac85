/** Who performs an act, as an actor of the journal: what a statement's step is of. */
import { Actor } from '../engine/journal/events';
import type { Program } from '../engine/program';

/** The VMM does what a script says of the host; a VM's vCPU the rest. */
export function performerOf({ machine: { vms }, acts }: Program, index: number): Actor {
  const act = acts[index];
  if (!act || !('by' in act)) return Actor.user;
  return vms[act.by.vm]?.parent === null ? Actor.L1 : Actor.L2;
}
