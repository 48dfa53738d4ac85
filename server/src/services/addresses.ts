/** Which expressions are addresses, by where they stand, and from where in a run they are looked at. */
import type { Analysis } from '../language/analysis';
import type { AddressSpace, TablesNamed } from '../language/kind';
import { kindOf } from '../language/kinds';
import { pathAt } from '../language/syntax/tree';
import type { Expression, Node, Reference, Tables, Vcpu, Vm } from '../language/syntax/tree';
import { Kind } from '../engine/journal/events';
import { kindAt } from '../events/fields';
import type { Outcome } from '../run/record';
import type { RunView } from '../views/view';
import { accessUnderWay } from '../views/way/accesses';
import type { Viewpoint } from '../views/way/way';
import { innermost } from './places';

export interface AddressAt {
  readonly expression: Expression;
  /** null: a number that is no address. */
  readonly space: AddressSpace | null;
  /** What the address is a part of, outermost first; the last one holds the expression. */
  readonly path: readonly Node[];
}

const EXPRESSIONS: ReadonlySet<string> = new Set(['number', 'switch', 'name', 'unary', 'binary', 'parenthesized', 'missing']);

/** The whole expression around an offset and what kind of address it is; null when there is none. */
export function addressAt(analysis: Analysis, offset: number): AddressAt | null {
  const path = pathAt(analysis.parsed.tree, offset);
  const at = path.findIndex(({ kind }) => EXPRESSIONS.has(kind));
  if (at < 1) return null;
  const expression = path[at] as Expression;
  const above = path.slice(0, at);
  return { expression, ...partOf(above, expression, (reference) => tablesOf(analysis, reference)) };
}

/** What an expression is a part of, ranges left out, and the kind of address that it is there. `above` is the way to it. */
export function partOf(above: readonly Node[], expression: Expression, tables: TablesNamed): Pick<AddressAt, 'path' | 'space'> {
  const holder = above[above.length - 1];
  if (holder.kind !== 'range') return { path: above, space: kindOf(holder).address(holder, expression, tables) };
  const path = above.slice(0, -1);
  return { path, space: holder.size === expression ? null : kindOf(path[path.length - 1]).address(path[path.length - 1], holder, tables) };
}

function tablesOf(analysis: Analysis, reference: Reference): Tables | null {
  const target = analysis.definitionOf(reference);
  if (!target) return null;
  const parsed = target.uri === analysis.uri ? analysis.parsed : analysis.imports.get(target.uri);
  const path = parsed ? pathAt(parsed.tree, target.definition.range.start) : [];
  return path.find((node): node is Tables => node.kind === 'tables' && node.name === target.definition) ?? null;
}

/**
 * Where in a run an address of the file is looked at: just before its statement is first executed, as its performer sees
 * it; for the machine's declarations when the script begins. Null: it was not executed, or has no place in that run.
 */
export function viewpointOf(analysis: Analysis, { path }: AddressAt, offset: number, view: RunView): Viewpoint | null {
  const origin = analysis.originAt(offset);
  if (origin !== null) return viewpointOfStatement(view, origin);
  const vm = innermost(path, 'vm');
  const name = vm?.name?.text;
  if (!vm || name === undefined) return null;
  const index = view.record.program.machine.vms.findIndex((each) => each.name === name);
  if (index < 0) return null;
  const tables = innermost(path, 'tables');
  const vcpu = tables ? vcpuWith(analysis, vm, tables) : 0;
  return vcpu === null ? null : { position: view.record.setup, vm: index, vcpu };
}

export function viewpointOfStatement(view: RunView, origin: number): Viewpoint | null {
  const { program } = view.record;
  const first = executionOf(view, origin);
  if (!first) return null;
  const act = program.acts[first.act];
  const by = 'by' in act ? act.by : 'vm' in act ? { vm: act.vm, vcpu: 0 } : { vm: 0, vcpu: 0 };
  return { position: first.from, vm: by.vm, vcpu: by.vcpu };
}

/** The access that is made at an address, by which its way is judged; null for an address that nothing accesses. */
export function accessTo(analysis: Analysis, { path }: AddressAt, offset: number, view: RunView, value: bigint): number | null {
  const origin = path[path.length - 1].kind === 'access' ? analysis.originAt(offset) : null;
  const outcome = origin === null ? null : executionOf(view, origin);
  if (!outcome) return null;
  for (let row = outcome.from; row < outcome.to; row++) {
    if (kindAt(view.record, row) !== Kind.access) continue;
    const under = accessUnderWay(view, row, outcome.from);
    if (under?.address === value) return under.access;
  }
  return null;
}

/** The first execution of a statement; null: it was not executed. */
export function executionOf(view: RunView, origin: number): Outcome | null {
  return view.outcomesOf(origin).find(({ act }) => act >= 0) ?? null;
}

/** The first vCPU that starts with these tables; null when none does, so that no vCPU translates by them then. */
function vcpuWith(analysis: Analysis, vm: Vm, tables: Tables): number | null {
  const vcpus = (vm.body?.items ?? []).filter((item): item is Vcpu => item.kind === 'vcpu');
  const index = vcpus.findIndex((vcpu) =>
    (vcpu.body?.items ?? []).some((item) => {
      if (item.kind !== 'setting' || item.name.text !== 'cr3' || item.bit || item.value?.kind !== 'name') return false;
      return analysis.definitionOf(item.value.name)?.definition === tables.name;
    }),
  );
  return index < 0 ? null : index;
}

/** Value of an address: as it is written, or, when that depends on a loop or a parameter, at the first execution. */
export function addressValue(
  analysis: Analysis,
  { expression, path }: AddressAt,
  offset: number,
  views: readonly RunView[],
): bigint | null {
  const value = analysis.valueOf(expression);
  if (value !== null) return BigInt.asUintN(64, value);
  const holder = path[path.length - 1];
  const origin = analysis.originAt(offset);
  if (origin === null || !('address' in holder) || holder.address !== expression) return null;
  for (const { record } of views) {
    const act = record.program.acts.find((each) => each.origin === origin && 'address' in each);
    if (act && 'address' in act) return BigInt.asUintN(64, act.address);
  }
  return null;
}
