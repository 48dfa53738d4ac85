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

const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'server/src/workspace/script-worker.ts',
    line: 'let nextId = 1;',
    original: '1',
    replacement: '0',
    why: 'ids are only compared',
  },
];

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
