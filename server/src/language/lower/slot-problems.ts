/** What KVM would not take of a slot, said where it is written, with what would mend it. */
import type { Failure, Region } from '../../engine/memory/slots';
import type { Expression, Node, Slot } from '../syntax/tree';
import { show, showSize } from '../semantics/values';
import type { Env } from '../semantics/values';
import type { Context } from './context';
import type { More } from '../semantics/reporter';
import { settingOf } from './slots';

const PAGE = 4096;

/** Guest-physical memory of a slot that is there already. */
interface Taken {
  readonly gpa: number;
  readonly size: number;
}

/** Where each value of a region is written; those that are not there are computed. */
export interface RegionNodes {
  readonly whole: Node;
  readonly slot?: Expression | null;
  readonly gpa?: Expression | null;
  readonly size?: Expression | null;
  readonly hva?: Expression | null;
}

export function nodesOf(slot: Slot): RegionNodes {
  return { whole: slot.id, slot: slot.id, gpa: settingOf(slot, 'gpa'), size: settingOf(slot, 'size'), hva: settingOf(slot, 'hva') };
}

/** @param others slots that are there already */
export function reportRefusal(
  context: Context,
  failure: Failure,
  region: Region,
  nodes: RegionNodes,
  others: readonly Taken[],
  env: Env,
  more: More = {},
): void {
  const { errno, why, about } = failure;
  const at = (about && about !== 'flags' ? nodes[about] : null) ?? nodes.whole;
  const code = errno === 'EEXIST' ? 'slot-overlap' : 'slot-refused';
  const mended = about && at !== nodes.whole && isPlain(at) ? mend(failure, region, others) : null;
  const fixes = mended === null ? [] : [{ file: env.file, node: at, title: `Change to ${mended}`, text: mended }];
  context.report(env, at, code, `KVM answers ${errno}: ${why}`, { ...more, fixes });
}

/** A number as it stands: what it computes from is not for a fix to change. */
function isPlain(node: Node): boolean {
  return node.kind === 'number';
}

/** The value of the offending setting that would do; null: there is no plain one. */
function mend({ errno, about }: Failure, region: Region, others: readonly Taken[]): string | null {
  if (errno === 'EEXIST' && about === 'gpa') return show(behind(region, others));
  if (about !== 'gpa' && about !== 'hva' && about !== 'size') return null;
  const value = region[about];
  if (value % PAGE === 0 || value > Number.MAX_SAFE_INTEGER - PAGE) return null;
  return about === 'size' ? showSize(Math.ceil(value / PAGE) * PAGE) : show(Math.floor(value / PAGE) * PAGE);
}

/** The first address from a region on where it overlaps nothing. */
function behind({ gpa, size }: Region, others: readonly Taken[]): number {
  let free = gpa;
  for (const other of [...others].sort((a, b) => a.gpa - b.gpa)) {
    if (other.gpa < free + size && free < other.gpa + other.size) free = other.gpa + other.size;
  }
  return free;
}
