/** Expectations: what stands after `expect`. */
import { ExpressionParser } from './expression-parser';
import * as t from './tokens';
import type {
  Comparison, ErrorNode, EventField, EventPattern, Expect, Expectation, ExpectAddress, ExpectCount, ExpectDirty, ExpectEntry,
  ExpectError, ExpectEvents, ExpectExit, ExpectFault, ExpectMmio, ExpectPage, ExpectRegister, ExpectWord, Expression, Flag, RangeExpression, Word,
} from './tree'; // prettier-ignore
import { ERRNOS, EVENT_WORDS, FAULT_FLAGS, PAGE_STATES, REASONS } from './words/observed';
import { REGISTERS } from './words/paging';
import { EXPECTATIONS } from './words/structure';

const EXPECT = t.reserved('expect');
const UNDER = t.reserved('under');
const NOT = t.reserved('not');
const READ = t.reserved('read');
const WRITE = t.reserved('write');
const SLOT = t.reserved('slot');

const WHAT = 'what must hold, as ok, #PF, exits or value';
const FAULTS = ['#PF', '#GP'];

export abstract class ExpectationParser extends ExpressionParser {
  /** The `expect`s that follow an act. */
  protected expects(): Expect[] {
    const expects: Expect[] = [];
    while (this.is(EXPECT)) expects.push(this.expect());
    return expects;
  }

  protected expect(): Expect {
    const start = this.here();
    this.take();
    const of = this.commas(() => this.expectation());
    const under = this.is(UNDER) && !this.underOpensBody() ? this.under() : null;
    return { kind: 'expect', of, under, range: this.since(start) };
  }

  private expectation(): Expectation | null {
    if (this.broken()) return this.missingExpectation();
    if (this.is(t.Fault)) return this.expectFault();
    if (this.isEntry()) return this.expectEntry();
    if (!this.is(t.Word)) return this.missingExpectation();
    switch (this.next().image) {
      case 'ok':
        return { kind: 'expect-ok', range: t.rangeOf(this.take()) };
      case 'mmio':
        return this.expectMmio();
      case 'error':
        return this.expectError();
      case 'exit':
        return this.expectExit();
      case 'value':
        return this.expectValue();
      case 'gpa':
      case 'hva':
      case 'hpa':
        return this.expectAddress();
      case 'exits':
      case 'references':
        return this.expectCount();
      case 'page':
        return this.expectPage();
      case 'dirty':
        return this.expectDirty();
      case 'events':
        return this.expectEvents();
      case 'word':
        return this.expectWord();
    }
    if (this.isRegister()) return this.expectRegister();
    if (this.is(t.Dot, 2) || /^(?:shadow|tdp|tlb)$/.test(this.next().image)) return this.expectEntry();
    return this.unknownExpectation();
  }

  private missingExpectation(): null {
    this.expected(WHAT);
    return null;
  }

  /** A word that cannot be expected is taken with what follows it, up to the next comma. */
  private unknownExpectation(): ErrorNode {
    const token = this.take();
    const range = t.rangeOf(token);
    this.unknown('unknown-word', 'expectation', { text: token.image, range }, Object.keys(EXPECTATIONS));
    this.skipLine(({ tokenType }) => tokenType === t.Comma || tokenType === UNDER || tokenType === EXPECT);
    return { kind: 'error', range: this.since(range.start) };
  }

  /* ------------------------------------------------------------ results */

  private expectFault(): ExpectFault | ErrorNode {
    const start = this.here();
    const token = this.take();
    let flags: Word[] | null = null;
    let code: Expression | null = null;
    if (this.got(t.LParen)) {
      if (this.isFaultCode()) code = this.expression('an error code');
      else flags = this.faultFlags();
      this.needSign(t.RParen);
    }
    const range = this.since(start);
    const fault = token.image;
    if (fault === '#PF' || fault === '#GP') return { kind: 'expect-fault', fault, flags, code, range };
    this.unknown('unknown-word', 'fault', { text: fault, range: t.rangeOf(token) }, FAULTS);
    return { kind: 'error', range };
  }

  /** Flags of the error code are words in capitals; all else is an expression. */
  private isFaultCode(): boolean {
    return !this.is(t.RParen) && !this.atEnd() && !(this.is(t.Word) && /^[A-Z][A-Z0-9_]*$/.test(this.next().image));
  }

  private faultFlags(): Word[] {
    const flags: Word[] = [];
    while (this.is(t.Word) || this.is(t.Comma)) {
      const token = this.take();
      if (token.tokenType === t.Comma) this.separatedBySpaces(t.rangeOf(token));
      else flags.push(this.wordOf(token, 'fault-flag'));
    }
    for (const flag of flags) this.checkWord('flag of #PF', flag, FAULT_FLAGS);
    return flags;
  }

  private separatedBySpaces(range: ErrorNode['range']): void {
    this.report('unexpected', 'flags are separated by spaces, as `#PF(P W U)`', range, { fix: { title: 'Remove ,', range, text: '' } });
  }

  private expectMmio(): ExpectMmio {
    const start = this.here();
    this.take();
    const token = this.onNewLine() ? null : this.maybe(READ, WRITE);
    return { kind: 'expect-mmio', access: (token?.image as 'read' | 'write' | undefined) ?? null, range: this.since(start) };
  }

  private expectError(): ExpectError {
    const start = this.here();
    this.take();
    const token = this.need('an errno, as EEXIST', t.Word);
    const errno = token && this.wordOf(token, 'errno');
    if (errno) this.checkWord('errno', errno, ERRNOS);
    return { kind: 'expect-error', errno, range: this.since(start) };
  }

  private expectExit(): ExpectExit {
    const start = this.here();
    this.take();
    const named = !this.onNewLine() && (this.is(t.Word) || this.is(t.Fault) || Object.hasOwn(REASONS, this.next().image));
    return { kind: 'expect-exit', reason: named ? this.reason() : null, range: this.since(start) };
  }

  private expectValue(): Expectation {
    const start = this.here();
    this.take();
    const value = this.expression();
    return { kind: 'expect-value', value, range: this.since(start) };
  }

  private expectAddress(): ExpectAddress {
    const start = this.here();
    const space = this.take().image as ExpectAddress['space'];
    const ofGpa = this.gotWord('of');
    if (ofGpa) this.needWord('gpa');
    const address = this.expression('an address');
    return { kind: 'expect-address', space, ofGpa, address, range: this.since(start) };
  }

  private expectCount(): ExpectCount {
    const start = this.here();
    const what = this.take().image as ExpectCount['what'];
    const compare = (this.maybe(t.AtMost, t.AtLeast, t.Equal)?.image ?? '==') as Comparison;
    const count = this.expression('a number');
    const reason = this.gotWord('of') ? this.reason() : null;
    const from = what === 'exits' && this.gotWord('from') ? this.reference('vm', 'a VM') : null;
    return { kind: 'expect-count', what, compare, count, reason, from, range: this.since(start) };
  }

  /** Exit reasons may be words of the language, as SVM's `invlpg`, or `#PF`. */
  private reason(): Word | null {
    const token = this.needAnyWord('an exit reason, as EPT_VIOLATION', t.Fault);
    const reason = token && this.wordOf(token, 'reason');
    if (reason) this.checkWord('exit reason', reason, REASONS);
    return reason;
  }

  /* ------------------------------------------------------------ state */

  private expectEntry(): ExpectEntry {
    const start = this.here();
    const entry = this.entry();
    const bit = this.bitOrNull();
    let value: Expression | null = null;
    let flags: Flag[] = [];
    if (bit) this.needSign(t.Assign);
    if (bit ? this.is(t.Assign, 0) : this.got(t.Assign)) value = this.expression();
    else if (!bit) {
      flags = this.flags('entry');
      if (flags.length === 0) this.expected("'=', present, absent or flags as rw");
    }
    return { kind: 'expect-entry', entry, bit, value, flags, range: this.since(start) };
  }

  private expectPage(): ExpectPage {
    const start = this.here();
    this.take();
    const gpa = this.expression('a guest-physical address');
    const not = this.got(NOT);
    const token = this.need('a state, as write_protected', t.Word);
    const state = token && this.wordOf(token, 'state');
    if (state) this.checkWord('state of a page', state, PAGE_STATES);
    return { kind: 'expect-page', gpa, not, state, range: this.since(start) };
  }

  private expectDirty(): ExpectDirty {
    const start = this.here();
    this.take();
    this.needSign(SLOT);
    const slot = this.expression('the id of a slot');
    let gpas: RangeExpression[] = [];
    if (this.needSign(t.LSquare)) {
      if (!this.is(t.RSquare)) gpas = this.commas(() => this.rangeExpression());
      this.needSign(t.RSquare);
    }
    return { kind: 'expect-dirty', slot, gpas, range: this.since(start) };
  }

  private expectWord(): ExpectWord {
    const start = this.here();
    this.take();
    const gpa = this.expression('a guest-physical address');
    this.needSign(t.Assign);
    const value = this.expression();
    return { kind: 'expect-word', gpa, value, range: this.since(start) };
  }

  private expectRegister(): ExpectRegister {
    const start = this.here();
    const { register, bit } = this.register();
    this.needSign(t.Assign);
    const value = this.expression();
    return { kind: 'expect-register', register, bit, value, range: this.since(start) };
  }

  protected isRegister(): boolean {
    return this.is(t.Word) && Object.hasOwn(REGISTERS, this.next().image);
  }

  /** `cr3`, `cr0.wp` */
  protected register(): { register: Word; bit: Word | null } {
    const register = this.wordOf(this.take(), 'register');
    this.checkWord('register', register, REGISTERS);
    const bit = this.bitOrNull();
    if (bit && Object.hasOwn(REGISTERS, register.text)) this.checkWord(`bit of ${register.text}`, bit, REGISTERS[register.text]!.bits);
    return { register, bit };
  }

  /* ------------------------------------------------------------ events */

  private expectEvents(): ExpectEvents {
    const start = this.here();
    this.take();
    const events = this.commas(() => this.event());
    return { kind: 'expect-events', events, range: this.since(start) };
  }

  private event(): EventPattern | null {
    const start = this.here();
    const token = this.need('an event, as kvm_exit', t.Word);
    if (!token) return null;
    const name = this.wordOf(token, 'event');
    this.checkWord('event', name, EVENT_WORDS);
    let fields: EventField[] = [];
    if (this.got(t.LParen)) {
      if (!this.is(t.RParen)) fields = this.commas(() => this.eventField());
      this.needSign(t.RParen);
    }
    return { kind: 'event', name, fields, range: this.since(start) };
  }

  private eventField(): EventField {
    const start = this.here();
    const name = this.isFieldName() ? this.wordOf(this.take(), 'field') : null;
    const value = this.isReason() ? this.wordOf(this.take(), 'reason') : this.expression('a value of the event');
    return { kind: 'event-field', name, value, range: this.since(Math.min(start, value.range.start)) };
  }

  /** A word with a value behind it, as `gfn 5`. */
  private isFieldName(): boolean {
    const { tokenType } = this.next();
    const { tokenType: after, image } = this.next(2);
    if (tokenType !== t.Word && !t.isReserved(tokenType)) return false;
    return after === t.Word || after === t.Num || after === t.LParen || after === t.Not || Object.hasOwn(REASONS, image);
  }

  /** A name that an event's number stands for. */
  private isReason(): boolean {
    return Object.hasOwn(REASONS, this.next().image) && [t.Comma, t.RParen].includes(this.next(2).tokenType);
  }
}
