/** The name at an offset with all places where it stands, also in other open files: what definition, references, highlight and rename share. */
import type { Analysis, Location } from '../language/analysis';
import type { DefinitionOf } from '../language/syntax/tree';
import { pathAt } from '../language/syntax/tree';
import type { Definition, Range, Reference } from '../language/syntax/tree';

export interface NamePlace extends Location {
  readonly definition: boolean;
}

export interface NameAt {
  readonly text: string;
  readonly of: DefinitionOf;
  /** Where the cursor's own name stands, in the analysed file. */
  readonly range: Range;
  /** File and place of the definition. */
  readonly uri: string;
  readonly definition: Definition;
}

/** The name at an offset of the analysed file; null when there is none, or nothing defines it. */
export function nameAt(analysis: Analysis, offset: number): NameAt | null {
  for (const node of pathAt(analysis.parsed.tree, offset).reverse()) {
    if (node.kind === 'definition') return { text: node.text, of: node.of, range: node.range, uri: analysis.uri, definition: node };
    if (node.kind === 'reference') return ofReference(analysis, node);
  }
  return null;
}

function ofReference(analysis: Analysis, reference: Reference): NameAt | null {
  const target = analysis.definitionOf(reference);
  return (
    target && { text: reference.text, of: target.definition.of, range: reference.range, uri: target.uri, definition: target.definition }
  );
}

/** All places of a name in the analysed file and its imports, and in other files that import the one it is defined in. */
export function placesOf(name: NameAt, analysis: Analysis, others: readonly Analysis[] = []): NamePlace[] {
  const found = new Map<string, NamePlace>();
  const add = (location: Location, definition: boolean): void => {
    const { start } = location.range;
    const key = `${location.uri}:${start.line}:${start.character}`;
    if (!found.has(key)) found.set(key, { ...location, definition });
  };
  add(analysis.locate(name.uri, name.definition.range), true);
  for (const each of [analysis, ...others.filter((other) => other !== analysis)]) {
    const definition = sameIn(each, name);
    if (!definition) continue;
    for (const { uri, reference } of each.referencesTo(definition)) add(each.locate(uri, reference.range), false);
  }
  return [...found.values()];
}

/** The definition as another analysis has it: at the same place of the same file. */
function sameIn(analysis: Analysis, { uri, definition }: NameAt): Definition | null {
  const parsed = uri === analysis.uri ? analysis.parsed : analysis.imports.get(uri);
  if (!parsed) return null;
  const { range, text } = definition;
  const node = pathAt(parsed.tree, range.end).find((each) => each.kind === 'definition' && each.range.start === range.start);
  return node?.kind === 'definition' && node.text === text ? node : null;
}
