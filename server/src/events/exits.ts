/** Exits, counted, in words. */
import type { ExitCount } from '../engine/result';

export function totalExits(exits: readonly ExitCount[]): number {
  return exits.reduce((sum, each) => sum + each.count, 0);
}

/** `EPT_VIOLATION` or `2 × EPT_VIOLATION, EPT_MISCONFIG`. */
export function exitsText(exits: readonly ExitCount[]): string {
  return exits.map(({ reason, count }) => (count === 1 ? reason : `${count} × ${reason}`)).join(', ');
}
