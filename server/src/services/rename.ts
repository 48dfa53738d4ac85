/** Renaming a name in all files that use it. */
import type { Range, TextEdit, WorkspaceEdit } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { RESERVED } from '../language/syntax/keywords';
import { nameAt } from './names';
import type { NameAt, NamePlaces } from './names';
import { lspRange } from './places';

/** Why a name cannot be changed so, for the user. */
export class CannotRename extends Error {}

/** Tables that every VM has; no name can be theirs. */
const BUILT_IN = ['shadow', 'tdp', 'tlb'];

/** What would be renamed; null when there is no name at the offset. */
export function prepareRename(analysis: Analysis, offset: number): { range: Range; placeholder: string } | null {
  const name = nameAt(analysis, offset);
  return name && { range: lspRange(analysis, name.range), placeholder: name.text };
}

/** A name changed in all files that use it, file by file. */
export class Renaming {
  /** @throws CannotRename when the new name cannot be one or means something already in the analysed file */
  constructor(
    private readonly places: NamePlaces,
    analysis: Analysis,
    private readonly to: string,
  ) {
    mustBeName(places.name, to);
    mustBeFree(analysis, places.in(analysis.uri), to);
  }

  /** In another file, too. @throws CannotRename when the new name means something already there */
  addFrom(analysis: Analysis): void {
    this.places.addFrom(analysis);
    mustBeFree(analysis, this.places.in(analysis.uri), this.to);
  }

  get edit(): WorkspaceEdit {
    const changes: { [uri: string]: TextEdit[] } = {};
    for (const { uri, range } of this.places.all) (changes[uri] ??= []).push({ range, newText: this.to });
    return { changes };
  }
}

function mustBeName({ of }: NameAt, to: string): void {
  const pattern = of === 'vcpu' ? /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)$/ : /^[A-Za-z_][A-Za-z0-9_]*$/;
  if (!pattern.test(to)) throw new CannotRename(`'${to}' is not a name`);
  if (RESERVED.includes(to)) throw new CannotRename(`'${to}' is a word of the language`);
  if (of === 'tables' && BUILT_IN.includes(to)) throw new CannotRename(`'${to}' is the name of built-in tables`);
}

/** Nothing of that name can be used where the renamed one stands. */
function mustBeFree(analysis: Analysis, places: readonly { readonly range: Range }[], to: string): void {
  for (const { range } of places) {
    const clash = analysis.namesAt(analysis.offsetAt(range.start)).find((each) => each.name === to);
    if (clash) throw new CannotRename(`'${to}' is the name of another ${clash.of} here`);
  }
}
