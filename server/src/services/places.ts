/** Offsets of the tree as positions of LSP, and runs of a document as their places. */
import type { Range as LspRange } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import type { Node, NodeKind, NodeOf, Range, Run } from '../language/syntax/tree';
import type { Program } from '../engine/program';

export { runHead } from '../language/machine/run';

/** A range of offsets of the analysed file. */
export function lspRange(analysis: Analysis, range: Range): LspRange {
  return analysis.locate(analysis.uri, range).range;
}

/** A `run` of the file with the indices of its programs. */
interface RunPlace {
  readonly run: Run;
  readonly programs: readonly number[];
}

/** The runs of a file in order: a program for each kind of MMU after `under` with each kernel after `with`, or one. */
export function runPlaces(analysis: Analysis): RunPlace[] {
  let next = 0;
  return analysis.parsed.tree.items
    .filter((item): item is Run => item.kind === 'run')
    .map((run) => ({ run, programs: Array.from({ length: programsOf(run) }, () => next++) }));
}

function programsOf({ under }: Run): number {
  return (
    Math.max(1, distinctTexts(under?.kinds.map(({ levels }) => levels))) * Math.max(1, distinctTexts(under?.kernels.map((each) => [each])))
  );
}

/** Each runs once, however often it is listed. */
function distinctTexts(listed: readonly (readonly { readonly text: string }[])[] = []): number {
  return new Set(listed.map((each) => each.map(({ text }) => text).join(' on '))).size;
}

/** The kinds of MMU that a program runs under, as they are written after `under`: `soft`, `soft on ept`, `ept with kernel 6.1`. */
export function kindsOf(program: Program): string {
  const at = program.name.lastIndexOf(' under ');
  if (at >= 0) return program.name.slice(at + ' under '.length);
  return program.machine.vms.map(({ mmu }) => mmu).reverse().join(' on '); // prettier-ignore
}

/** Things that say the same, together, in the order of the first of each. */
export function grouped<T, K>(things: readonly T[], said: (thing: T) => K): { readonly said: K; readonly of: readonly T[] }[] {
  const groups = new Map<K, T[]>();
  for (const thing of things) {
    const key = said(thing);
    const group = groups.get(key);
    if (group) group.push(thing);
    else groups.set(key, [thing]);
  }
  return [...groups].map(([key, of]) => ({ said: key, of }));
}

/** Kinds as `under` lists them, those with the same kernels together: `soft, ept with kernel 6.1, 6.12`. */
export function listed(kinds: readonly string[]): string[] {
  const split = [...new Set(kinds)].map((text) => text.split(' with kernel '));
  const kernelsOf = grouped(split, ([kind]) => kind);
  return grouped(kernelsOf, ({ of }) => of.flatMap(([, kernel]) => kernel ?? []).join(', ')).map(({ said, of }) => {
    const names = of.map((each) => each.said).join(', ');
    return said === '' ? names : `${names} with kernel ${said}`;
  });
}

/** The last node of a kind on a way from the file inwards; null when there is none. */
export function innermost<K extends NodeKind>(path: readonly Node[], kind: K): NodeOf<K> | null {
  for (let i = path.length - 1; i >= 0; i--) if (path[i].kind === kind) return path[i] as NodeOf<K>;
  return null;
}
