/** Mutants that no test can notice, each with the reason. */
import type { Mutant } from './mutants';

interface Equivalent {
  readonly file: string;
  /** The line as it stands, without its indentation. */
  readonly line: string;
  readonly original: string;
  readonly replacement: string;
  readonly why: string;
}

const EQUIVALENT: readonly Equivalent[] = [];

/** Why a mutant changes nothing that could be seen; null: it does, for all that is known. */
export function whyEquivalent(mutant: Mutant, line: string): string | null {
  const same = EQUIVALENT.find(
    (each) =>
      each.file === mutant.file &&
      each.line === line.trim() &&
      each.original === mutant.original &&
      each.replacement === mutant.replacement,
  );
  return same?.why ?? null;
}
