/** What a name stands for just before the statement that it is in, in each run that comes past it: what kinds agree on is said once. */
import type { Analysis } from '../language/analysis';
import { hvaHere, registerHere, tablesHere, vmHere } from '../views/here';
import type { MachineState } from '../views/machine-state';
import type { RunView } from '../views/view';
import type { Viewpoint } from '../views/way/way';
import { executionOf, viewpointOfStatement } from './addresses';
import { grouped, kindsOf, listed } from './places';

type Said = (state: MachineState, viewpoint: Viewpoint) => string | null;

/** Of the word at an offset: a register, `tdp`, `shadow` or `tlb`; empty: there is nothing to say. */
export function wordHere(analysis: Analysis, views: readonly RunView[], offset: number, word: string): string {
  if (['tdp', 'shadow', 'tlb'].includes(word)) return said(analysis, views, offset, (state, at) => tablesHere(state, at, word));
  return said(analysis, views, offset, (state, at) => registerHere(state, at, word));
}

/** Of the VM that is named. */
export function vmNamedHere(analysis: Analysis, views: readonly RunView[], offset: number, name: string): string {
  return said(analysis, views, offset, (state) => {
    const vm = state.machine.vms.findIndex((each) => each.name === name);
    return vm < 0 ? null : vmHere(state, vm);
  });
}

export function hvaNamedHere(analysis: Analysis, views: readonly RunView[], offset: number, hva: bigint): string {
  return said(analysis, views, offset, (state, { vm }) => hvaHere(state, vm, Number(hva)));
}

/** Before the statement, and after it where that is something else; of a declaration when the script begins. */
function said(analysis: Analysis, views: readonly RunView[], offset: number, of: Said): string {
  const origin = analysis.originAt(offset);
  const [before, after]: { readonly kinds: string; readonly text: string }[][] = [[], []];
  for (const view of views) {
    const kinds = kindsOf(view.record.program);
    const viewpoint = origin === null ? { position: view.record.setup, vm: 0, vcpu: 0 } : viewpointOfStatement(view, origin);
    if (!viewpoint) continue;
    const at = (position: number): string | null => of(view.machine(position), { ...viewpoint, position });
    const [first, then] = [at(viewpoint.position), origin === null ? null : at(executionOf(view, origin)!.to)];
    if (first !== null) before.push({ kinds, text: first });
    if (then !== null && then !== first) after.push({ kinds, text: then });
  }
  return [...linesOf(origin === null ? 'when the script begins:' : 'before this statement:', before), ...linesOf('after it:', after)].join(
    '  \n',
  );
}

function linesOf(when: string, all: readonly { readonly kinds: string; readonly text: string }[]): string[] {
  if (all.length === 0) return [];
  const groups = grouped(all, ({ text }) => text);
  const texts = groups.map(({ said: text, of }) =>
    groups.length === 1 ? text : `${listed(of.map(({ kinds }) => kinds)).join('; ')}: ${text}`,
  );
  return [when, ...texts.map((text) => `\`${text}\``)];
}
