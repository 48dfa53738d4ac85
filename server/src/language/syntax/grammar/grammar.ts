/** The grammar as a parser: all rules registered, recorded once, and run over a text's tokens. */
import type { SyntaxProblem } from '../problem';
import type { Tokens } from '../tokens';
import type { Item } from '../tree';
import { Lists } from './lists';
import type { Grammar, Rule } from './rule';
import { RULES } from './rules';

export class GrammarParser extends Lists {
  constructor(validated = false) {
    super(validated);
    const rules = new Map<string, unknown>();
    for (const [name, rule] of Object.entries(RULES)) {
      rules.set(name, this.RULE(name, (rule as Rule<unknown[], unknown>)(this.grammar())));
      Object.assign(this, { [name]: rules.get(name) });
    }
    this.performSelfAnalysis();
  }

  protected grammar(): Grammar {
    return this as unknown as Grammar;
  }

  /** The items of a text and what is wrong with it; never throws. */
  read(text: string, tokens: Tokens, byIndentation: boolean): { items: Item[]; problems: SyntaxProblem[] } {
    this.begin(text, tokens);
    this.byIndentation = byIndentation;
    const items = this.grammar().file();
    return { items, problems: this.problems };
  }
}

let parser: GrammarParser | undefined;

/** The one parser; made when it is first needed. */
export function grammarParser(): GrammarParser {
  return (parser ??= new GrammarParser());
}
