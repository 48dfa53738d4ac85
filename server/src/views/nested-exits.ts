/**
 * Exits where a VM stands in a VM: each goes to L0, which hands some of L2's on to L1, and what L1 does about them exits again
 * (mmu-semantics.md §7.8: exit multiplication).
 */
import { Actor, Kind } from '../engine/journal/events';
import { exitReason } from '../events/decode';
import { eventAt, kindAt } from '../events/fields';
import { nested } from '../events/guests';
import type { StepRow } from '../protocol/messages';
import { plural } from '../events/wording';
import type { RunView } from './view';

interface NestedExits {
  readonly fromL2: number;
  readonly fromL1: number;
  /** Exits of L2 that L1 was given. */
  readonly reflected: readonly Reflected[];
}

interface Reflected {
  /** As L1 sees it. */
  readonly reason: string;
  /** Exits until L2 ran again: this one, those of L1 meanwhile, and its VM entry. */
  readonly exits: number;
}

const MATTER: readonly Kind[] = [Kind.kvm_exit, Kind.kvm_nested_vmexit_inject, Kind.kvm_nested_vmenter];

/** Exits in rows [from, to); null when the machine has no VM in a VM. */
export function nestedExits({ record }: RunView, from: number, to: number): NestedExits | null {
  if (!nested(record.program.machine)) return null;
  const reflected: { reason: string; exits: number }[] = [];
  let fromL2 = 0;
  let fromL1 = 0;
  let open: { reason: string; exits: number } | null = null;
  for (let row = from; row < to; row++) {
    if (!MATTER.includes(kindAt(record, row))) continue;
    const event = eventAt(record, row)!;
    if (event.actor !== Actor.L0) continue;
    if (event.kind === Kind.kvm_nested_vmenter) open = null;
    else if (event.kind === Kind.kvm_nested_vmexit_inject) reflected.push((open = { reason: exitReason(event, record.program), exits: 1 }));
    else if (event.kind !== Kind.kvm_exit) continue;
    else if (event.fields.guest_mode) fromL2++;
    else {
      fromL1++;
      if (open) open.exits++;
    }
  }
  return { fromL2, fromL1, reflected };
}

/** `10 exits of L2, 5 handed to L1 (14 to 19 exits each until L2 ran again); 73 exits of L1`; empty when L2 did not leave. */
export function nestedExitsText({ fromL2, fromL1, reflected }: NestedExits): string {
  if (fromL2 === 0) return '';
  const costs = reflected.map(({ exits }) => exits);
  const [least, most] = [Math.min(...costs), Math.max(...costs)];
  const cost = `${least === most ? '' : `${least} to `}${plural(most, 'exit')}${reflected.length > 1 ? ' each' : ''} until L2 ran again`;
  const handed = reflected.length > 0 ? `${reflected.length} handed to L1 (${cost})` : 'none handed to L1';
  return `${plural(fromL2, 'exit')} of L2, ${handed}${fromL1 > 0 ? `; ${plural(fromL1, 'exit')} of L1` : ''}`;
}

const CONTROL_ACCESSES: readonly string[] = ['VMREAD', 'VMWRITE'];

/**
 * L1's accesses to its control structure, one after another, as one line; null when fewer than two begin at a step.
 *
 * @param end step before which they must end
 */
export function controlAccessesFrom(
  { record, steps }: RunView,
  step: number,
  end: number,
): { readonly row: StepRow; readonly next: number } | null {
  const counts = new Map<string, number>();
  let next = step;
  while (next + 1 < end && kindAt(record, steps.rowOf(next + 1)) === Kind.kvm_entry) {
    const exit = eventAt(record, steps.rowOf(next));
    if (exit?.kind !== Kind.kvm_exit) break;
    const reason = exitReason(exit, record.program);
    if (!CONTROL_ACCESSES.includes(reason)) break;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
    next += 2;
  }
  if (next - step < 4) return null;
  const [row] = steps.rows(step, 1);
  const said = [...counts].map(([reason, count]) => `${count} × ${reason}`).join(', ');
  return { row: { ...row, text: `from L1 · ${said}, each followed by its entry` }, next };
}
