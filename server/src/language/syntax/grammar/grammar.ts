/** The grammar as a parser: all rules registered, recorded once, and run over a text's tokens. */
import type { ParserMethod, Rule as Recorded } from 'chevrotain';
import type { SyntaxProblem } from '../problem';
import type { Tokens } from '../tokens';
import type { Item } from '../tree';
import { Questions } from './questions';
import type { Rule } from './rule';
import { RULES, rulesOfKinds } from './rules';

type AnyRule = Rule<unknown[], unknown>;

export class GrammarParser extends Questions {
  private readonly readers = new Map<unknown, ParserMethod<[], unknown>>();

  constructor(validated = false) {
    super(validated);
    for (const [name, rule] of Object.entries(RULES)) Object.assign(this, { [name]: this.addRule(name, rule as AnyRule) });
    for (const [name, rule] of rulesOfKinds()) if (!this.readers.has(rule)) this.addRule(name, rule as AnyRule);
    this.performSelfAnalysis();
  }

  private addRule(name: string, rule: AnyRule): ParserMethod<unknown[], unknown> {
    const reader = this.RULE(name, rule(this.grammar()));
    this.readers.set(rule, reader as ParserMethod<[], unknown>);
    return reader;
  }

  /** What reads by a kind's rule. */
  readerOf<R>(rule: Rule<[], R>): ParserMethod<[], R> {
    return this.readers.get(rule) as ParserMethod<[], R>;
  }

  /** The items of a text and what is wrong with it; never throws. */
  read(text: string, tokens: Tokens, byIndentation: boolean): { items: Item[]; problems: SyntaxProblem[] } {
    this.begin(text, tokens);
    this.byIndentation = byIndentation;
    const items = this.SUBRULE(this.grammar().file);
    return { items, problems: this.problems };
  }
}

let parser: GrammarParser | undefined;

/** The one parser; made when it is first needed. */
export function grammarParser(): GrammarParser {
  return (parser ??= new GrammarParser());
}

/** The rules as they are recorded, by their names. */
export function productions(): { readonly [rule: string]: Recorded } {
  return grammarParser().getGAstProductions();
}
