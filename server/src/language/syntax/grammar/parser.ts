/** The one parser of texts. */
import { DECISION_TABLE } from './decision-table';
import { GrammarParser } from './grammar';

let parser: GrammarParser | undefined;

/** Made when it is first needed. */
export function grammarParser(): GrammarParser {
  return (parser ??= new GrammarParser(DECISION_TABLE));
}
