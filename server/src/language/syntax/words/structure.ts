/** Words that make up the structure of a scenario, each from the file of the kind that brings it. */
import { EXPECTATION_KINDS } from '../../expectations/kinds';
import type { Structure, Worded, Words } from '../../kind';
import { FILE_ITEM_KINDS, VM_ITEM_KINDS } from '../../machine/kinds';
import { TABLES_ITEM_KINDS } from '../../machine/tables/kinds';
import { handler } from '../../parts/handler';
import { HOST_ACT_KINDS } from '../../statements/host/kinds';
import { STATEMENT_KINDS } from '../../statements/kinds';
import { SHARED_CLAUSES } from './clauses';

const KINDS: readonly Worded[] = [
  ...Object.values(FILE_ITEM_KINDS),
  ...Object.values(VM_ITEM_KINDS),
  ...Object.values(TABLES_ITEM_KINDS),
  ...Object.values(STATEMENT_KINDS),
  handler,
  ...Object.values(HOST_ACT_KINDS),
  ...Object.values(EXPECTATION_KINDS),
];

function wordsOf(category: Structure): Words {
  return Object.assign({}, ...KINDS.map(({ words }) => words[category])) as Words;
}

export const DECLARATIONS = wordsOf('declaration');
export const ACTS = wordsOf('statement');
export const CLAUSES: Words = { ...wordsOf('clause'), ...SHARED_CLAUSES };
export const HOST_ACTS = wordsOf('host-act');
export const EXPECTATIONS = wordsOf('expectation');
