/**
 * Text to tokens, comments, and what could not be read, in one pass by the codes of the characters. Chevrotain's lexer tries one
 * regular expression after another: it took longer to be made than a file takes to be parsed, and for a large text as long as all
 * rules together (docs/performance.md).
 */
import type { TokenType } from 'chevrotain';
import { MAX_PROBLEMS, type SyntaxProblem } from './problem';
import { TokenList, type Token } from './tokens';
import type { Comment, Range } from './tree';
import * as t from './vocabulary';

export interface Scanned {
  readonly tokens: TokenList;
  readonly comments: readonly Comment[];
  readonly problems: readonly SyntaxProblem[];
  /** The rest was not read, because it is nested too deeply. */
  readonly cut: boolean;
}

/** Never throws; every character is in a token, in a comment, white space, or reported. */
export function scan(text: string): Scanned {
  return new Scanner(text).scan();
}

/** The tokens alone, as objects. */
export function tokensOf(text: string): Token[] {
  return [...scan(text).tokens];
}

/** Braces, brackets and parentheses within each other at most. */
export const MAX_DEPTH = 200;

enum Class {
  other,
  space,
  lineEnd,
  letter,
  digit,
  quote,
  hash,
  sign,
}

const classes = new Uint8Array(128);

function setClass(characters: string, of: Class): void {
  for (const character of characters) classes[character.charCodeAt(0)] = of;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
setClass(' \t\f', Class.space);
setClass('\r\n', Class.lineEnd);
setClass(`_${LETTERS}${LETTERS.toUpperCase()}`, Class.letter);
setClass('0123456789', Class.digit);
setClass('"', Class.quote);
setClass('#', Class.hash);

const code = (character: string): number => character.charCodeAt(0);
const [SLASH, STAR, DASH, DOT, QUOTE, UNDERSCORE] = [...'/*-."_'].map(code) as [number, number, number, number, number, number];
const BYTE_ORDER_MARK = 0xfeff;

/** Signs by their first character: those of two characters by the second, and that of one. */
interface SignsOf {
  readonly two: { readonly second: number; readonly kind: number }[];
  one: TokenType | null;
}

const signsAt: SignsOf[] = [];
for (const type of t.SIGNS) {
  const [first, second] = t.textOf(type) as unknown as [string, string?];
  const of = (signsAt[code(first)] ??= { two: [], one: null });
  if (second !== undefined) of.two.push({ second: code(second), kind: type.tokenTypeIdx! });
  else if (type !== t.PlusSize) of.one = type;
  setClass(first, Class.sign);
}

function classOf(character: number): Class {
  if (character < 128) return classes[character]!;
  return character === BYTE_ORDER_MARK ? Class.space : Class.other;
}

class Scanner {
  private readonly tokens: TokenList;
  private readonly comments: Comment[] = [];
  private readonly problems: SyntaxProblem[] = [];
  private strange = 0;
  private depth = 0;
  private cut = false;
  private at = 0;
  /** Where the line of the next token begins, if it is the first there; otherwise -1. */
  private line = 0;
  /** Behind the last token. */
  private end = 0;

  constructor(private readonly text: string) {
    this.tokens = new TokenList(text);
  }

  scan(): Scanned {
    const { text, tokens, comments, problems } = this;
    while (this.at < text.length) {
      switch (this.classAt(this.at)) {
        case Class.space:
          this.at++;
          break;
        case Class.lineEnd:
          this.line = ++this.at;
          break;
        case Class.letter:
          this.word();
          break;
        case Class.digit:
          this.number();
          break;
        case Class.sign:
          this.sign();
          break;
        case Class.quote:
          this.string();
          break;
        case Class.hash:
          this.fault();
          break;
        case Class.other:
          this.unexpected();
      }
    }
    return { tokens, comments, problems, cut: this.cut };
  }

  private classAt(at: number): Class {
    return classOf(this.text.charCodeAt(at));
  }

  private isDigitAt(at: number): boolean {
    return this.classAt(at) === Class.digit;
  }

  /** Words and numbers go on with it. */
  private isWordAt(at: number): boolean {
    const character = this.text.charCodeAt(at);
    return character < 128 && (classes[character] === Class.letter || classes[character] === Class.digit);
  }

  private token(kind: number, end: number): void {
    const { at, line } = this;
    if (!this.cut) this.tokens.push(kind, at, end, line < 0 ? -1 : at - line);
    this.line = -1;
    this.end = this.at = end;
  }

  /** A word of the language has a kind of its own. */
  private wordOr(type: TokenType, end: number): void {
    this.token((t.wordType(this.text.slice(this.at, end)) ?? type).tokenTypeIdx!, end);
  }

  private word(): void {
    let end = this.at + 1;
    while (this.isWordAt(end)) end++;
    this.wordOr(t.Word, end);
  }

  private number(): void {
    const { text, at } = this;
    let end = at + 1;
    while (this.isDigitAt(end)) end++;
    const next = text.charCodeAt(end);
    if (next === DASH) {
      const mode = t.MODES.find((each) => text.startsWith(each, at) && !this.isWordAt(at + each.length));
      if (mode !== undefined) return this.wordOr(t.Mode, at + mode.length);
    }
    if (next === DOT && this.isDigitAt(end + 1)) {
      end += 2;
      while (this.isDigitAt(end)) end++;
      return this.wordOr(t.Version, end);
    }
    while (this.isWordAt(end)) end++;
    if (end === at + 1) this.wordOr(t.Num, end);
    else this.token(t.Num.tokenTypeIdx!, end);
  }

  private sign(): void {
    const { text, at } = this;
    const first = text.charCodeAt(at);
    const second = text.charCodeAt(at + 1);
    if (first === SLASH && (second === SLASH || second === STAR)) return this.comment(second === STAR);
    const { two, one } = signsAt[first]!;
    for (const sign of two) if (sign.second === second) return this.token(sign.kind, at + 2);
    if (!one) return this.unexpected();
    this.nest(one);
    this.token((one === t.Plus && this.isLength(second) ? t.PlusSize : one).tokenTypeIdx!, at + 1);
  }

  /** Behind a `+`: it has a space before it and none behind. */
  private isLength(next: number): boolean {
    const of = classOf(next);
    return this.at > this.end && !Number.isNaN(next) && of !== Class.space && of !== Class.lineEnd && next !== SLASH;
  }

  private nest(type: TokenType): void {
    if (type === t.LCurly || type === t.LParen || type === t.LSquare) this.depth++;
    else if ((type === t.RCurly || type === t.RParen || type === t.RSquare) && this.depth > 0) this.depth--;
    if (this.depth <= MAX_DEPTH || this.cut) return;
    this.cut = true;
    const range = { start: this.at, end: this.at + 1 };
    this.problems.push({ code: 'too-deep', message: `nested more than ${MAX_DEPTH} deep; the rest is not read`, range });
  }

  private comment(isBlock: boolean): void {
    const { text, at: start } = this;
    const close = isBlock ? text.indexOf('*/', start + 2) : -1;
    if (close >= 0) this.at = close + 2;
    else if (isBlock) {
      this.at = text.length;
      this.problems.push({ code: 'unterminated-comment', message: "'/*' has no '*/'", range: { start, end: start + 2 } });
    } else while (this.at < text.length && this.classAt(this.at) !== Class.lineEnd) this.at++;
    this.comments.push({ kind: 'comment', block: isBlock, range: { start, end: this.at } });
    for (let end = this.at; isBlock && end > start; end--) {
      if (this.classAt(end - 1) !== Class.lineEnd) continue;
      this.line = end;
      break;
    }
  }

  private string(): void {
    const { text, at: start } = this;
    let end = start + 1;
    while (end < text.length && text.charCodeAt(end) !== QUOTE && this.classAt(end) !== Class.lineEnd) end++;
    const isClosed = text.charCodeAt(end) === QUOTE;
    if (!isClosed) this.problems.push({ code: 'unterminated-string', message: 'the string has no closing quote', range: { start, end } });
    this.token(t.Str.tokenTypeIdx!, isClosed ? end + 1 : end);
  }

  private fault(): void {
    let end = this.at + 1;
    while (this.classAt(end) === Class.letter && this.text.charCodeAt(end) !== UNDERSCORE) end++;
    this.wordOr(t.Fault, end);
  }

  /** What begins no token, up to where one begins; `<` and `>` alone one by one. */
  private unexpected(): void {
    const start = this.at++;
    if (this.classAt(start) === Class.other) while (this.at < this.text.length && this.classAt(this.at) === Class.other) this.at++;
    if (this.strange++ <= MAX_PROBLEMS) this.problems.push(unexpected(this.text, { start, end: this.at }));
  }
}

function unexpected(text: string, range: Range): SyntaxProblem {
  const point = text.codePointAt(range.start)!;
  const character = String.fromCodePoint(point);
  const number = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  const shown = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? `'${character}' (${number})` : number;
  const more = range.end - range.start > character.length ? ' and more' : '';
  return { code: 'unexpected-character', message: `unexpected character ${shown}${more}`, range };
}
