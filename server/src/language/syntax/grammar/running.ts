/**
 * Chevrotain's parser as this grammar runs it. Chevrotain records the rules and checks them (`performSelfAnalysis`); their
 * running is here, since all that its own does around a rule and a decision serves what this grammar has no use for: a tree
 * of its own, exceptions and a recovery by them. A rule is called as the function that it is, and a decision looks up the
 * type of the next token in a table of the recorded grammar (decisions.ts).
 */
import {
  createTokenInstance, EmbeddedActionsParser, EOF, type ConsumeMethodOpts, type DSLMethodOpts, type IOrAlt, type IToken,
  type ParserMethod, type Rule, type SubruleMethodOpts, type TokenType,
} from 'chevrotain'; // prettier-ignore
import { decisionsOf, STRATEGY, type DecisionsOfRule } from '../decisions';
import type { ProblemCode } from '../problem';
import * as t from '../tokens';
import type { DefinitionOf, Reference } from '../tree';

/* ---------------------------------------------------------------- Chevrotain's words, as rules use them */

/** What stands at a token, for messages and for those who ask what may stand there. */
export interface Consumed extends ConsumeMethodOpts {
  /** What is missing where it is not there, as `a name`. */
  readonly ERR_MSG?: string;
  /** A name that is defined, or refers, here. */
  readonly DEFINES?: DefinitionOf;
  readonly REFERS?: Reference['to'];
  /** The code of a report on a word that is none of the category's. */
  readonly UNKNOWN?: ProblemCode;
  /** Of a string: what its path leads to. */
  readonly PATH?: 'import' | 'load';
  /** What it is called in the forms of statements (forms.ts), where that is not its kind. */
  readonly LABEL?: string;
}

type Action<T> = () => T;
type Optional<T> = Action<T> | DSLMethodOpts<T>;
export interface Choice<T> {
  readonly DEF: IOrAlt<T>[];
  /** What is done, by way of recovery, where none of them fits. Not a part of the grammar. */
  readonly ELSE?: Action<T>;
}

/** What of Chevrotain's parser is used: its recorder, which takes the place of the methods by which rules read meanwhile. */
interface Recorder {
  readonly RECORDING_PHASE: boolean;
  RULE<A extends unknown[], R>(name: string, rule: (...args: A) => R): ParserMethod<A, R>;
  performSelfAnalysis(): void;
  getGAstProductions(): Record<string, Rule>;
  AT_LEAST_ONE_SEP(options: { readonly SEP: TokenType; readonly DEF: Action<unknown> }): void;
}

const Chevrotain = EmbeddedActionsParser as unknown as new (vocabulary: TokenType[], config: object) => Recorder;

/** A rule that was registered; it takes two arguments at most. */
interface Registered<R> {
  readonly ruleName: string;
  readonly originalGrammarAction: (first?: unknown, second?: unknown) => R;
  decisions?: DecisionsOfRule;
}

export function ruleNameOf<A extends unknown[], R>(method: ParserMethod<A, R>): string {
  return (method as unknown as Registered<R>).ruleName;
}

const NONE: DecisionsOfRule = { choices: [], options: [], repetitions: [] };

/** Stands behind the last token. */
export const END: IToken = createTokenInstance(EOF, '', NaN, NaN, NaN, NaN, NaN, NaN);

export abstract class Running extends Chevrotain {
  protected tokens: readonly IToken[] = [];
  /** Of the next token. */
  protected index = 0;
  protected count = 0;
  /** Those of the rule that is being read. */
  protected decisions: DecisionsOfRule = NONE;

  /** @param validated checks the grammar itself, which costs time and is for tests */
  constructor(validated: boolean) {
    super([...t.LEXICAL], { lookaheadStrategy: STRATEGY, maxLookahead: 1, skipValidations: !validated });
  }

  /* ------------------------------------------------------------ tokens */

  /** The next token, or one further ahead; at the end of the text an empty one. */
  next(ahead = 1): IToken {
    return this.tokens[this.index + ahead - 1] ?? END;
  }

  is(type: TokenType, ahead = 1): boolean {
    return t.matches(this.next(ahead).tokenTypeIdx, type);
  }

  /** As `is`, of tokens that are still to come: one that is not written yet may become anything. */
  may(type: TokenType, ahead: number): boolean {
    return t.matches(this.next(ahead).tokenTypeIdx, type);
  }

  atEnd(): boolean {
    return this.index >= this.count;
  }

  /** The next token whatever it is; callers have looked at it. */
  take(): IToken {
    const token = this.next();
    if (this.index < this.count) this.index++;
    return token;
  }

  /** The next token, if it is what must stand here; otherwise a report, and an absent one. */
  protected abstract consumed(type: TokenType, options: Consumed | undefined, occurrence: number): IToken;

  consume(index: number, type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options, index);
  }

  CONSUME(type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options, 0);
  }

  CONSUME1(type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options, 1);
  }

  CONSUME2(type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options, 2);
  }

  CONSUME3(type: TokenType, options?: Consumed): IToken {
    return this.consumed(type, options, 3);
  }

  /* ------------------------------------------------------------ rules */

  /** @param _occurrence the number that tells it from other uses of the rule in the same rule */
  protected readBy<A extends unknown[], R>(method: ParserMethod<A, R>, options: SubruleMethodOpts<A> | undefined, _occurrence: number): R {
    const rule = method as unknown as Registered<R>;
    const outer = this.decisions;
    this.decisions = rule.decisions ??= decisionsOf(this.getGAstProductions()[rule.ruleName]!);
    const args = options?.ARGS;
    const result = args === undefined ? rule.originalGrammarAction() : rule.originalGrammarAction(args[0], args[1]);
    this.decisions = outer;
    return result;
  }

  subrule<A extends unknown[], R>(index: number, rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R {
    return this.readBy(rule, options, index);
  }

  SUBRULE<A extends unknown[], R>(rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R {
    return this.readBy(rule, options, 0);
  }

  SUBRULE1<A extends unknown[], R>(rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R {
    return this.readBy(rule, options, 1);
  }

  SUBRULE2<A extends unknown[], R>(rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R {
    return this.readBy(rule, options, 2);
  }

  SUBRULE3<A extends unknown[], R>(rule: ParserMethod<A, R>, options?: SubruleMethodOpts<A>): R {
    return this.readBy(rule, options, 3);
  }

  /* ------------------------------------------------------------ decisions */

  option<T>(index: number, option: Optional<T>): T | undefined {
    if (this.decisions.options[index]![this.next().tokenTypeIdx] !== 1) return undefined;
    if (typeof option === 'function') return option();
    return option.GATE === undefined || option.GATE() ? option.DEF() : undefined;
  }

  OPTION<T>(option: Optional<T>): T | undefined {
    return this.option(0, option);
  }

  OPTION1<T>(option: Optional<T>): T | undefined {
    return this.option(1, option);
  }

  OPTION2<T>(option: Optional<T>): T | undefined {
    return this.option(2, option);
  }

  OPTION3<T>(option: Optional<T>): T | undefined {
    return this.option(3, option);
  }

  many(index: number, option: Optional<unknown>): void {
    const begins = this.decisions.repetitions[index]!;
    const action = typeof option === 'function' ? option : option.DEF;
    const gate = typeof option === 'function' ? undefined : option.GATE;
    for (let before = -1; before < this.index && begins[this.next().tokenTypeIdx] === 1 && (gate === undefined || gate());) {
      before = this.index;
      action();
    }
  }

  MANY(option: Optional<unknown>): void {
    this.many(0, option);
  }

  or<T>(index: number, choice: IOrAlt<T>[] | Choice<T>): T {
    const alternatives = Array.isArray(choice) ? choice : choice.DEF;
    const { byType, always } = this.decisions.choices[index]!;
    const possible = byType[this.next().tokenTypeIdx]!;
    for (let i = 0; i < possible.length; i++) {
      const { GATE, ALT } = alternatives[possible[i]!]!;
      if (GATE === undefined || GATE()) return ALT();
    }
    if (always !== undefined) return alternatives[always]!.ALT();
    if (Array.isArray(choice) || !choice.ELSE) throw new Error('a choice without ELSE has an alternative for every token');
    return choice.ELSE();
  }

  OR<T>(choice: IOrAlt<T>[] | Choice<T>): T {
    return this.or(0, choice);
  }

  OR1<T>(choice: IOrAlt<T>[] | Choice<T>): T {
    return this.or(1, choice);
  }
}
