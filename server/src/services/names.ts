/** The name at an offset with all places where it stands, also in other open files: what definition, references, highlight and rename share. */
import type { Analysis, Location } from '../language/analysis';
import type { DefinitionOf } from '../language/syntax/tree';
import { pathAt } from '../language/syntax/tree';
import type { Definition, Range, Reference } from '../language/syntax/tree';

interface NamePlace extends Location {
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

/** All places of a name, file by file. */
export class NamePlaces {
  private readonly found = new Map<string, NamePlace>();

  /** In the analysed file and its imports. */
  constructor(
    readonly name: NameAt,
    analysis: Analysis,
  ) {
    this.add(analysis.locate(name.uri, name.definition.range), true);
    this.addFrom(analysis);
  }

  /** Those in another file, which may import the one that the name is defined in. */
  addFrom(analysis: Analysis): void {
    const definition = sameIn(analysis, this.name);
    if (!definition) return;
    for (const { uri, reference } of analysis.referencesTo(definition)) this.add(analysis.locate(uri, reference.range), false);
  }

  get all(): readonly NamePlace[] {
    return [...this.found.values()];
  }

  /** Whether a file may have one: it is where the name is defined, or imports something and has the name in it. */
  mayBeIn(text: string, uri: string): boolean {
    return uri === this.name.uri || (text.includes(this.name.text) && /\bimport\b/.test(text));
  }

  in(uri: string): readonly NamePlace[] {
    return this.all.filter((place) => place.uri === uri);
  }

  private add(location: Location, definition: boolean): void {
    const { start } = location.range;
    const key = `${location.uri}:${start.line}:${start.character}`;
    if (!this.found.has(key)) this.found.set(key, { ...location, definition });
  }
}

/** The definition as another analysis has it: at the same place of the same file. */
function sameIn(analysis: Analysis, { uri, definition }: NameAt): Definition | null {
  const parsed = uri === analysis.uri ? analysis.parsed : analysis.imports.get(uri);
  if (!parsed) return null;
  const { range, text } = definition;
  const node = pathAt(parsed.tree, range.end).find((each) => each.kind === 'definition' && each.range.start === range.start);
  return node?.kind === 'definition' && node.text === text ? node : null;
}
