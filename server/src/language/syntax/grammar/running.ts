/**
 * Running the rules. They are written in the words of Chevrotain's parsers, and Chevrotain records and checks them (recording.ts); what it does
 * around each when it runs them serves what this grammar has no use for: a tree of its own, exceptions and a recovery by them. Here a
 * rule is called as the function that it is, and a decision looks up the kind of the next token in a table of the recorded grammar (decisions.ts).
 */
import type { ConsumeMethodOpts, DSLMethodOpts, IOrAlt, ParserMethod, SubruleMethodOpts, TokenType } from 'chevrotain';
import type { ProblemCode } from '../problem';
import { END, TokenList, type Token } from '../tokens';
import type { DefinitionOf, Reference } from '../tree';
import * as t from '../vocabulary';
import { decisionsOf, NO_DECISIONS, type Decisions, type RecordedDecisions } from './decisions';

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

/** A rule that can be read; it takes two arguments at most. */
type Action2<R> = (first?: unknown, second?: unknown) => R;

interface Reader<R> {
  readonly ruleName: string;
  readonly recorded: RecordedDecisions;
  /** Made when it is first read, as its decisions are: a text needs a part of the grammar. */
  readonly make: () => Action2<R>;
  action: Action2<R> | null;
  decisions: Decisions;
}

/** What `SUBRULE` takes. */
export function readerBy<A extends unknown[], R>(
  ruleName: string,
  make: () => (...args: A) => R,
  recorded: RecordedDecisions,
): ParserMethod<A, R> {
  const reader: Reader<R> = { ruleName, recorded, make: make as unknown as Reader<R>['make'], action: null, decisions: NO_DECISIONS };
  return reader as unknown as ParserMethod<A, R>;
}

function prepared<R>(reader: Reader<R>): Action2<R> {
  reader.decisions = decisionsOf(reader.recorded);
  return (reader.action = reader.make());
}

export function ruleNameOf<A extends unknown[], R>(reader: ParserMethod<A, R>): string {
  return (reader as unknown as Reader<R>).ruleName;
}

export abstract class Running {
  /** The rules are recorded, and nothing is read. */
  readonly RECORDING_PHASE: boolean = false;
  protected tokens = new TokenList('');
  /** Of the next token. */
  protected index = 0;
  /** Those of the rule that is being read. */
  protected decisions: Decisions = NO_DECISIONS;

  /* ------------------------------------------------------------ tokens */

  /** The next token, or one further ahead; behind the end of the text an empty one. */
  next(ahead = 1): Token {
    return this.tokens.at(this.index + ahead - 1);
  }

  /** Of the next token; 0 at the end. */
  kind(): number {
    return this.tokens.kinds[this.index]!;
  }

  /** Of the next token, if it is the first on its line; otherwise -1. */
  column(): number {
    return this.tokens.columns[this.index]!;
  }

  is(type: TokenType, ahead = 1): boolean {
    return t.matches(this.tokens.kinds[this.index + ahead - 1]!, type);
  }

  /** As `is`, of tokens that are still to come: one that is not written yet may become anything. */
  may(type: TokenType, ahead: number): boolean {
    return this.is(type, ahead);
  }

  atEnd(): boolean {
    return this.index >= this.tokens.count;
  }

  /** The next token whatever it is; callers have looked at it. */
  take(): Token {
    return this.atEnd() ? END : this.tokens.at(this.index++);
  }

  /** The next token, if it is what must stand here; otherwise a report, and an absent one. */
  protected abstract consumed(type: TokenType, options: Consumed | undefined, occurrence: number): Token;

  consume(index: number, type: TokenType, options?: Consumed): Token {
    return this.consumed(type, options, index);
  }

  CONSUME(type: TokenType, options?: Consumed): Token {
    return this.consumed(type, options, 0);
  }

  CONSUME1(type: TokenType, options?: Consumed): Token {
    return this.consumed(type, options, 1);
  }

  CONSUME2(type: TokenType, options?: Consumed): Token {
    return this.consumed(type, options, 2);
  }

  CONSUME3(type: TokenType, options?: Consumed): Token {
    return this.consumed(type, options, 3);
  }

  /* ------------------------------------------------------------ rules */

  /** @param _occurrence the number that tells it from other uses of the rule in the same rule */
  protected readBy<A extends unknown[], R>(method: ParserMethod<A, R>, options: SubruleMethodOpts<A> | undefined, _occurrence: number): R {
    const reader = method as unknown as Reader<R>;
    const outer = this.decisions;
    const action = reader.action ?? prepared(reader);
    this.decisions = reader.decisions;
    const args = options?.ARGS;
    const result = args === undefined ? action() : action(args[0], args[1]);
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
    if (this.decisions.options[index]![this.kind()] !== 1) return undefined;
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
    for (let before = -1; before < this.index && begins[this.kind()] === 1 && (gate === undefined || gate());) {
      before = this.index;
      action();
    }
  }

  MANY(option: Optional<unknown>): void {
    this.many(0, option);
  }

  or<T>(index: number, choice: IOrAlt<T>[] | Choice<T>): T {
    const alternatives = Array.isArray(choice) ? choice : choice.DEF;
    const { byKind, always } = this.decisions.choices[index]!;
    const possible = byKind[this.kind()]!;
    for (let i = 0; i < possible.length; i++) {
      const { GATE, ALT } = alternatives[possible[i]!]!;
      if (GATE === undefined || GATE()) return ALT();
    }
    if (always >= 0) return alternatives[always]!.ALT();
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
