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

const EARLIER = 'the parser begins at an earlier declaration, which comes to the same and only takes longer';

const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'server/src/workspace/script-worker.ts',
    line: 'let nextId = 1;',
    original: '1',
    replacement: '0',
    why: 'ids are only compared',
  },
  {
    file: 'server/src/language/syntax/ways.ts',
    line: 'if (kind === t.LCurly.tokenTypeIdx) depth++;',
    original: '++',
    replacement: '--',
    why: EARLIER,
  },
  {
    file: 'server/src/language/syntax/ways.ts',
    line: 'else if (kind === t.RCurly.tokenTypeIdx && depth > 0) depth--;',
    original: '--',
    replacement: '++',
    why: EARLIER,
  },
  {
    file: 'server/src/language/syntax/ways.ts',
    line: 'else if (kind === t.RCurly.tokenTypeIdx && depth > 0) depth--;',
    original: '>',
    replacement: '>=',
    why: EARLIER,
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
