/**
 * What can stand behind a text, according to the grammar: the parser itself, run over the text's tokens, with all decisions
 * open at their end. There it goes every way that a rule allows, gates included, notes what each way would take next, and
 * turns back.
 */
import { createTokenInstance, EOF, type DSLMethodOpts, type IOrAlt, type IToken, type ParserMethod, type TokenType } from 'chevrotain';
import * as t from '../tokens';
import type { ErrorNode, Node, Range } from '../tree';
import { GrammarParser } from './grammar';
import type { Choice, Consumed } from './ground';
import type { BodyOf } from './lists';
import type { Value } from './rule';

/** A token that may stand at the end of the text. */
export interface Way {
  readonly type: TokenType;
  readonly options: Consumed | null;
  /** The value that it would begin. */
  readonly value: Value | null;
  /** The body whose item it would begin. */
  readonly begins: BodyOf | null;
  /** Words of the same kind that are there already, as flags. */
  readonly already: readonly string[];
  /** The event whose field it is. */
  readonly event: string;
}

type Action<T> = () => T;
type Optional<T> = Action<T> | DSLMethodOpts<T>;

/** The way ends here. */
const STOP = Symbol('stop');

const isOpen = (gate: (() => boolean) | undefined): boolean => gate === undefined || gate();
const parts = <T>(option: Optional<T>): { gate: (() => boolean) | undefined; action: Action<T> } =>
  typeof option === 'function' ? { gate: undefined, action: option } : { gate: option.GATE, action: option.DEF };

export class Explorer extends GrammarParser {
  private ways: Way[] = [];
  private end: IToken = createTokenInstance(EOF, '', NaN, NaN, NaN, NaN, NaN, NaN);
  /** Ways within each other that are being tried. */
  private trying = 0;
  /** A gate has looked behind the end, where anything may come. */
  private peeked = false;
  private value: Value | null = null;
  private begins: BodyOf | null = null;
  private bodies: BodyOf[] = [];

  /** Ways behind the tokens of a text, and the bodies around, the innermost last. `column`: a new line has begun. */
  explore(text: string, tokens: t.Tokens, column: number | null): { ways: readonly Way[]; bodies: readonly BodyOf[] } {
    this.ways = [];
    this.bodies = [];
    this.trying = 0;
    this.value = null;
    this.begins = null;
    this.end = { ...createTokenInstance(EOF, '', text.length, NaN, NaN, NaN, NaN, NaN), ...(column === null ? {} : { payload: column }) };
    try {
      this.read(text, tokens, false);
    } catch (error) {
      if (error !== STOP) throw error;
    }
    return { ways: this.ways, bodies: [...this.bodies] };
  }

  /* ------------------------------------------------------------ the end */

  override next(ahead = 1): IToken {
    return this.index + ahead - 1 === this.count && !this.RECORDING_PHASE ? this.end : super.next(ahead);
  }

  override LA(ahead: number): IToken {
    return this.next(ahead);
  }

  override may(type: TokenType, ahead: number): boolean {
    if (this.RECORDING_PHASE || this.index + ahead - 1 < this.count) return super.may(type, ahead);
    this.peeked = true;
    return true;
  }

  override once(already: boolean): boolean {
    return !(already && this.atEnd());
  }

  private note(type: TokenType, options: Consumed | null = null): void {
    const already = this.already.map((each) => (each.kind === 'flag' ? each.name.text : each.text));
    this.ways.push({ type, options, value: this.value, begins: this.begins, already, event: this.inEvent });
  }

  private stop(): never {
    throw STOP;
  }

  /** Goes a way and turns back; whether it came through. */
  private goes(way: () => unknown): boolean {
    const { index, panic, itemFirst, problems, already, inEvent, value, begins, bodies } = this;
    const { within, operators } = this.depth;
    const reported = problems.length;
    this.trying++;
    try {
      way();
      return true;
    } catch (error) {
      if (error !== STOP) throw error;
      return false;
    } finally {
      this.trying--;
      problems.length = reported;
      Object.assign(this, { index, panic, itemFirst, already, inEvent, value, begins, bodies });
      Object.assign(this.depth, { within, operators });
      this.importLexerState(index - 1);
    }
  }

  /* ------------------------------------------------------------ tokens */

  protected override consumed(type: TokenType, options?: Consumed): IToken {
    if (!this.atEnd()) return super.consumed(type, options);
    if (!(t.isBound(type) && this.broken())) this.note(type, options ?? null);
    return this.stop();
  }

  override fail(...report: Parameters<GrammarParser['fail']>): void {
    if (this.trying > 0 || this.atEnd()) this.stop();
    super.fail(...report);
  }

  override strange(...word: Parameters<GrammarParser['strange']>): IToken {
    return this.trying > 0 || this.atEnd() ? this.stop() : super.strange(...word);
  }

  override expectsValue(value: Value): void {
    this.value = this.atEnd() ? value : null;
  }

  /* ------------------------------------------------------------ decisions */

  override OPTION<T>(option: Optional<T>): T | undefined {
    return this.optional(option, (open) => super.OPTION(open));
  }

  override OPTION1<T>(option: Optional<T>): T | undefined {
    return this.optional(option, (open) => super.OPTION1(open));
  }

  override OPTION2<T>(option: Optional<T>): T | undefined {
    return this.optional(option, (open) => super.OPTION2(open));
  }

  override OPTION3<T>(option: Optional<T>): T | undefined {
    return this.optional(option, (open) => super.OPTION3(open));
  }

  override option<T>(index: number, option: Optional<T>): T | undefined {
    return this.optional(option, (open) => super.option(index, open));
  }

  private optional<T>(option: Optional<T>, decide: (open: DSLMethodOpts<T>) => T | undefined): T | undefined {
    const { gate, action } = parts(option);
    if (this.atEnd()) {
      if (isOpen(gate)) this.goes(action);
      return undefined;
    }
    let doubtful = false;
    const GATE = (): boolean => {
      this.peeked = false;
      const open = isOpen(gate);
      doubtful = this.peeked;
      return open && !doubtful;
    };
    const found = decide({ GATE, DEF: action });
    if (doubtful) this.goes(action);
    return found;
  }

  override MANY(option: Optional<unknown>): void {
    super.MANY(option);
    this.more(option);
  }

  override many(index: number, option: Optional<unknown>): void {
    super.many(index, option);
    this.more(option);
  }

  private more(option: Optional<unknown>): void {
    const { gate, action } = parts(option);
    if (this.atEnd() && isOpen(gate)) this.goes(action);
  }

  override OR<T>(choice: IOrAlt<T>[] | Choice<T>): T {
    return this.alternative(choice, (open) => super.OR(open));
  }

  override OR1<T>(choice: IOrAlt<T>[] | Choice<T>): T {
    return this.alternative(choice, (open) => super.OR1(open));
  }

  private alternative<T>(choice: IOrAlt<T>[] | Choice<T>, decide: (open: Choice<T>) => T): T {
    const alternatives = Array.isArray(choice) ? choice : choice.DEF;
    if (this.atEnd()) {
      for (const { GATE, ALT } of alternatives) if (isOpen(GATE && ((): boolean => GATE.call(this)))) this.goes(ALT);
      return this.stop();
    }
    const doubtful: IOrAlt<T>[] = [];
    /** What gates let through only because the text ends is tried, and left. */
    const first = (then: () => T) => (): T => {
      for (const { ALT } of doubtful) this.goes(ALT);
      return then();
    };
    const DEF = alternatives.map((alternative) => ({
      GATE: (): boolean => {
        this.peeked = false;
        const open = isOpen(alternative.GATE && ((): boolean => alternative.GATE!.call(this)));
        if (open && this.peeked) doubtful.push(alternative);
        return open && !this.peeked;
      },
      ALT: first(alternative.ALT as () => T),
    }));
    const otherwise = Array.isArray(choice) ? undefined : choice.ELSE;
    const ELSE = first(() => (doubtful.length > 0 || !otherwise ? this.stop() : otherwise()));
    return decide({ DEF, ELSE });
  }

  override otherwise<T>(list: () => T, none: T): T {
    return this.atEnd() ? none : super.otherwise(list, none);
  }

  /* ------------------------------------------------------------ lists */

  protected override goesOn(): boolean {
    if (this.atEnd()) this.note(t.Comma);
    return super.goesOn();
  }

  protected override opens(what: string): IToken | null {
    if (!this.atEnd()) return super.opens(what);
    this.note(t.LCurly);
    return this.stop();
  }

  protected override closes(what: string, open: Range): boolean {
    if (!this.atEnd()) return super.closes(what, open);
    this.note(t.RCurly);
    return this.stop();
  }

  protected override items<T extends Node>(of: BodyOf, item: ParserMethod<[], T | null>, ends: () => boolean): (T | ErrorNode)[] {
    const outer = this.bodies;
    this.bodies = [...outer, of];
    const items = super.items(of, item, ends);
    if (!this.atEnd()) {
      this.bodies = outer;
      return items;
    }
    this.goes(() => {
      this.panic = false;
      this.itemFirst = this.end;
      this.begins = of;
      this.value = null;
      this.already = [];
      this.SUBRULE(item);
    });
    return items;
  }
}
