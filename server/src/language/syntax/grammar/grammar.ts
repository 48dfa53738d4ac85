/** The grammar as a parser: all rules, run over a text's tokens. */
import type { ParserMethod } from 'chevrotain';
import type { SyntaxProblem } from '../problem';
import type { Scanned } from '../scan';
import type { Item } from '../tree';
import type { DecisionTable } from './decisions';
import { Questions } from './questions';
import type { Rule } from './rule';
import { RULES, rulesOfKinds } from './rules';
import { readerBy } from './running';

type AnyRule = Rule<unknown[], unknown>;

export class GrammarParser extends Questions {
  private readonly readers = new Map<unknown, ParserMethod<[], unknown>>();

  constructor(private readonly table: DecisionTable) {
    super();
    const rules = Object.create(Object.getPrototypeOf(this) as object) as { [rule: string]: unknown };
    for (const [name, rule] of Object.entries(RULES)) rules[name] = this.addRule(name, rule as AnyRule);
    for (const [name, rule] of rulesOfKinds()) if (!this.readers.has(rule)) this.addRule(name, rule as AnyRule);
    // So many properties of its own would make the parser a dictionary: they stand on a prototype of it, where V8 takes them for constants.
    Object.setPrototypeOf(this, rules);
  }

  private addRule(name: string, rule: AnyRule): ParserMethod<unknown[], unknown> {
    const reader = readerBy(name, () => rule(this.grammar()), this.table[name]!);
    this.readers.set(rule, reader as ParserMethod<[], unknown>);
    return reader;
  }

  /** What reads by a kind's rule. */
  readerOf<R>(rule: Rule<[], R>): ParserMethod<[], R> {
    return this.readers.get(rule) as ParserMethod<[], R>;
  }

  /** The items of a text and what is wrong with it; never throws. */
  read(scanned: Scanned, byIndentation: boolean, from = 0): { items: Item[]; problems: SyntaxProblem[] } {
    this.begin(scanned, from);
    this.byIndentation = byIndentation;
    const items = this.SUBRULE(this.grammar().file);
    return { items, problems: this.problems };
  }
}
