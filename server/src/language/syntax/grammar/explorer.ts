/**
 * What can stand behind a text, according to the grammar: the parser itself, run over the text's tokens, with all decisions
 * open at their end. There it goes every way that a rule allows, gates included, notes what each way would take next, and
 * turns back.
 */
import type { DSLMethodOpts, IOrAlt, ParserMethod, SubruleMethodOpts, TokenType } from 'chevrotain';
import type { Scanned } from '../scan';
import * as t from '../tokens';
import type { Token } from '../tokens';
import type { ErrorNode, Node, Range } from '../tree';
import type { Frame } from './frames';
import { GrammarParser } from './grammar';
import { ruleNameOf, type Choice, type Consumed } from './running';
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
  /** The rule that would take it, and its number among the tokens of that kind there. */
  readonly frame: Frame;
  readonly occurrence: number;
}

type Action<T> = () => T;
type Optional<T> = Action<T> | DSLMethodOpts<T>;

/** The way ends here. */
const STOP = Symbol('stop');

/** Runs at most; there are rarely more than four. */
const MOST_PLANS = 32;

const parts = <T>(option: Optional<T>): { gate: (() => boolean) | undefined; action: Action<T> } =>
  typeof option === 'function' ? { gate: undefined, action: option } : { gate: option.GATE, action: option.DEF };

export class Explorer extends GrammarParser {
  private ways: Way[] = [];
  /** Ways within each other that are being tried. */
  private trying = 0;
  /** Decisions that only the end of the text leaves open, in their order: those of this run, and of all runs that are to be made. */
  private decided: boolean[] = [];
  private turn = 0;
  private plans: boolean[][] = [];
  /** A gate has looked behind the end, where anything may come. */
  private peeked = false;
  private value: Value | null = null;
  private begins: BodyOf | null = null;
  private bodies: BodyOf[] = [];
  private frame: Frame | null = null;

  /**
   * Ways behind the tokens of a text, from one of them on, and the bodies around, the innermost last. `column`: of the end, if it begins a
   * line; otherwise -1.
   */
  explore(scanned: Scanned, from: number, column: number): { ways: readonly Way[]; bodies: readonly BodyOf[] } {
    this.ways = [];
    this.plans = [[]];
    const { columns, count } = scanned.tokens;
    columns[count] = column;
    for (let next = 0; next < this.plans.length; next++) this.go(scanned, from, this.plans[next]!);
    return { ways: this.ways, bodies: [...this.bodies] };
  }

  private go(scanned: Scanned, from: number, plan: readonly boolean[]): void {
    this.decided = [...plan];
    this.turn = 0;
    this.bodies = [];
    this.frame = null;
    this.trying = 0;
    this.value = null;
    this.begins = null;
    try {
      this.read(scanned, false, from);
    } catch (error) {
      if (error !== STOP) throw error;
    }
  }

  /* ------------------------------------------------------------ the end */

  override may(type: TokenType, ahead: number): boolean {
    if (this.index + ahead - 1 < this.tokens.count) return super.may(type, ahead);
    this.peeked = true;
    return true;
  }

  override once(already: boolean): boolean {
    return !(already && this.atEnd());
  }

  private note(type: TokenType, options: Consumed | null = null, occurrence = 0): void {
    const already = this.already.map((each) => (each.kind === 'flag' ? each.name.text : each.text));
    const { value, begins, inEvent: event, frame } = this;
    this.ways.push({ type, options, value, begins, already, event, frame: frame!, occurrence });
  }

  private stop(): never {
    throw STOP;
  }

  /** Goes a way and turns back; whether it came through. */
  private goes(way: () => unknown): boolean {
    const { index, panic, itemFirst, problems, already, inEvent, value, begins, bodies, decisions, frame } = this;
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
      Object.assign(this, { index, panic, itemFirst, already, inEvent, value, begins, bodies, decisions, frame });
      Object.assign(this.depth, { within, operators });
    }
  }

  /** Whether a way is taken that is open, or is only because the text ends: that one is gone too, on a way of its own. */
  private isTaken(gate: (() => boolean) | undefined): boolean {
    const open = this.isOpen(gate);
    return this.peeked ? this.decides() : open;
  }

  /** Whether a way is open, or whether it is told by what is still to come; then `peeked` says so. */
  private isOpen(gate: (() => boolean) | undefined): boolean {
    this.peeked = false;
    const open = gate === undefined || gate.call(this);
    return open || this.peeked;
  }

  /** A decision that the text leaves open: no, and yes the next time. */
  private decides(): boolean {
    const turn = this.turn++;
    if (turn === this.decided.length) {
      if (this.plans.length < MOST_PLANS) this.plans.push([...this.decided, true]);
      this.decided.push(false);
    }
    return this.decided[turn]!;
  }

  /* ------------------------------------------------------------ tokens and rules */

  protected override consumed(type: TokenType, options: Consumed | undefined, occurrence: number): Token {
    if (this.atEnd()) {
      if (!(this.broken() && t.isBound(type))) this.note(type, options ?? null, occurrence);
      return this.stop();
    }
    const token = super.consumed(type, options, occurrence);
    if (this.isThere(token)) this.frame!.read.push({ type, occurrence, token });
    return token;
  }

  protected override readBy<A extends unknown[], R>(
    method: ParserMethod<A, R>,
    options: SubruleMethodOpts<A> | undefined,
    occurrence: number,
  ): R {
    const around = this.frame;
    const frame = (this.frame = { rule: ruleNameOf(method), occurrence, around, read: [] });
    const result = super.readBy(method, options, occurrence);
    this.frame = around;
    if (frame.read.length > 0) around?.read.push(frame);
    return result;
  }

  override fail(...report: Parameters<GrammarParser['fail']>): void {
    if (this.trying > 0 || this.atEnd()) this.stop();
    super.fail(...report);
  }

  override strange(...word: Parameters<GrammarParser['strange']>): Token {
    return this.trying > 0 || this.atEnd() ? this.stop() : super.strange(...word);
  }

  override expectsValue(value: Value): void {
    this.value = this.atEnd() ? value : null;
  }

  /* ------------------------------------------------------------ decisions */

  override option<T>(index: number, option: Optional<T>): T | undefined {
    const { gate, action } = parts(option);
    if (this.atEnd()) {
      if (this.isOpen(gate)) this.goes(action);
      return undefined;
    }
    return super.option(index, { GATE: () => this.isTaken(gate), DEF: action });
  }

  override many(index: number, option: Optional<unknown>): void {
    super.many(index, option);
    const { gate, action } = parts(option);
    if (this.atEnd() && this.isOpen(gate)) this.goes(action);
  }

  override or<T>(index: number, choice: IOrAlt<T>[] | Choice<T>): T {
    const alternatives = Array.isArray(choice) ? choice : choice.DEF;
    if (this.atEnd()) {
      for (const { GATE, ALT } of alternatives) if (this.isOpen(GATE)) this.goes(ALT);
      return this.stop();
    }
    let doubtful = false;
    const DEF = alternatives.map(({ GATE, ALT }) => ({
      GATE: (): boolean => {
        const open = this.isTaken(GATE);
        doubtful ||= this.peeked && !open;
        return open;
      },
      ALT,
    }));
    const otherwise = Array.isArray(choice) ? undefined : choice.ELSE;
    const ELSE = (): T => (doubtful || !otherwise ? this.stop() : otherwise());
    return super.or(index, { DEF, ELSE });
  }

  override otherwise<T>(list: () => T, none: T): T {
    return this.atEnd() ? none : super.otherwise(list, none);
  }

  /* ------------------------------------------------------------ lists */

  protected override goesOn(): boolean {
    if (this.atEnd()) this.note(t.Comma);
    return super.goesOn();
  }

  protected override opens(what: string): Token | null {
    if (!this.atEnd()) {
      const token = super.opens(what);
      if (token) this.frame!.read.push({ type: t.LCurly, occurrence: 0, token });
      return token;
    }
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
      this.itemFirst = this.index;
      this.begins = of;
      this.value = null;
      this.already = [];
      this.SUBRULE(item);
    });
    return items;
  }
}
