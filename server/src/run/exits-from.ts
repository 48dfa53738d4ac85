/** Exits of an act by the VM that was left: a VM inside a VM leaves to the host like the one around it, and KVM says so. */
import { Actor, Kind } from '../engine/journal/events';
import type { Rows } from '../engine/journal/state';
import type { Program } from '../engine/program';
import type { ExitCount } from '../engine/result';
import { exitReason } from '../events/decode';
import { eventAt } from '../events/fields';
import type { Outcome } from './record';

/** Exits of an outcome that left this VM. */
export function exitsFrom(vm: number, { exits, from, to }: Outcome, rows: Rows, program: Program): ExitCount[] {
  const inner = innerExits(rows, from, to, program);
  if (program.machine.vms[vm]?.parent !== null) return [...inner].map(([reason, count]) => ({ reason, count }));
  return exits.map(({ reason, count }) => ({ reason, count: count - (inner.get(reason) ?? 0) })).filter(({ count }) => count > 0);
}

/** Exits of VMs inside VMs (kvm_nested_vmexit), by reason. */
function innerExits(rows: Rows, from: number, to: number, program: Program): Map<string, number> {
  const found = new Map<string, number>();
  for (let row = from; row < to; row++) {
    const event = eventAt(rows, row);
    if (event?.kind !== Kind.kvm_nested_vmexit || event.actor !== Actor.L0) continue;
    const reason = exitReason(event, program);
    found.set(reason, (found.get(reason) ?? 0) + 1);
  }
  return found;
}
