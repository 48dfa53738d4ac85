/**
 * The language's face to everything after it: a text, with its imports, becomes an analysis. Services, command line and
 * session use this and nothing of the rooms behind it (syntax/ for trees and printing excepted).
 */
import type { Found } from './files';
import type { Bound, Program } from '../engine/program';
import type { StatementPlace } from './places';
import type { Parsed } from './syntax/parse';
import type { LowerOptions } from './lower/programs';
import { Analyzed } from './semantics/analyze';
import type { Definition, DefinitionOf, Expression, Node, Range, Reference } from './syntax/tree';

/** A place in a file; lines and characters count from zero, characters are UTF-16 units. */
export interface Location {
  readonly uri: string;
  readonly range: StatementPlace['range'];
}

/** What is wrong with a scenario, at its place. */
export interface Problem extends Location {
  readonly severity: 'error' | 'warning' | 'information' | 'hint';
  /** Stable name, as `slot-overlap`. */
  readonly code: string;
  /** In the field's words, no full stop. */
  readonly message: string;
  readonly related?: readonly (Location & { readonly message: string })[];
  /** Unused or deprecated code, for the editor's fading. */
  readonly tag?: 'unnecessary';
  readonly fixes?: readonly ProblemFix[];
}

/** An edit that would mend the problem, for the editor's quick fix. */
export interface ProblemFix extends Location {
  readonly title: string;
  readonly text: string;
}

/** A definition and the file it stands in. */
export interface Target {
  readonly uri: string;
  readonly definition: Definition;
}

/** A name that can be used at a place. */
export interface NameInScope extends Target {
  readonly name: string;
  readonly of: DefinitionOf;
}

export interface Analysis {
  readonly uri: string;
  readonly parsed: Parsed;
  /** Imported files that could be read, by URI, theirs included. */
  readonly imports: ReadonlyMap<string, Parsed>;
  /** What can be said of this file and its imports without unrolling anything, in the order of the text. */
  readonly problems: readonly Problem[];
  /** URIs of the files that are loaded into memory. */
  readonly loads: readonly string[];
  /** All statements that acts come from; an act's `origin` is an index into this. */
  readonly statements: readonly StatementPlace[];
  /** The node of a statement, by origin. */
  readonly statementNodes: readonly Node[];
  /** A statement's text with the values that names in it stood for; known once the text is lowered. */
  written(origin: number, bound: Bound): string;

  /** What a name means; null when nothing defines it. */
  definitionOf(reference: Reference): Target | null;
  /** Where a definition's name is used in this file and its imports, the definition itself not included. */
  referencesTo(definition: Definition): readonly Use[];
  /** Names that can be used at an offset of this file, innermost first. */
  namesAt(offset: number): readonly NameInScope[];
  /**
   * Value of a constant expression; null when it has none, or depends on a loop or a parameter. Where tables lie whose
   * place is not written is known once the text is lowered.
   */
  valueOf(expression: Expression): bigint | null;
  /** The innermost statement around an offset of this file, as an origin; null outside scripts. */
  originAt(offset: number): number | null;
  /** The last statement that begins before an offset of this file in the same run; null when there is none. */
  originBefore(offset: number): number | null;

  /** Range of offsets in a file, as lines and characters. */
  locate(uri: string, range: Range): Location;
  offsetAt(position: { readonly line: number; readonly character: number }): number;

  /** Plans machines and unrolls scripts; takes as long as the text's loops want, up to their limits. */
  lower(options?: LowerOptions): Lowered;
  /** The same in steps, between which other work can be done. */
  lowerInSteps(options: LowerOptions): Generator<void, Lowered>;
}

/** What lowering comes to. */
export interface Lowered {
  /** Those of the text, and of machines and scripts, in the order of the text. */
  readonly problems: readonly Problem[];
  /** Those of machines and scripts alone. */
  readonly found: readonly Problem[];
  /** One program a run and kind of its `under`, in the order of the text; none when there are errors. */
  readonly programs: readonly Program[];
}

/** A use of a name and the file it stands in. */
export interface Use {
  readonly uri: string;
  readonly reference: Reference;
}

export interface AnalyzeOptions {
  /** Text of another file. */
  read(uri: string): Found<string>;
}

export type { Found, NotOpened } from './files';
export { contentOf, isNotOpened, MOST_BYTES } from './files';
export type { LowerOptions } from './lower/programs';
export { resolveImport } from './semantics/paths';

/** Never throws; every text has an analysis. */
export function analyze(text: string, uri: string, options: AnalyzeOptions): Analysis {
  return new Analyzed(text, uri, options);
}
