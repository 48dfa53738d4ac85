/** The lexer: text to tokens, comments, and what could not be read. */
import { createToken, Lexer, type IToken, type TokenType } from 'chevrotain';
import { MAX_PROBLEMS, type SyntaxProblem } from './problem';
import type { Comment, Range } from './tree';
import {
  Fault,
  LCurly,
  LParen,
  LSquare,
  Mode,
  Num,
  Plus,
  PlusSize,
  RCurly,
  RParen,
  RSquare,
  SIGNS,
  Str,
  Version,
  Word,
  wordType,
} from './vocabulary';

export * from './vocabulary';

const Space = createToken({ name: 'Space', pattern: /[ \t\r\n\f\uFEFF]+/, group: Lexer.SKIPPED, line_breaks: true });
const LineComment = createToken({ name: 'LineComment', pattern: /\/\/[^\r\n]*/, group: 'comments' });
const BlockComment = createToken({ name: 'BlockComment', pattern: /\/\*[^]*?\*\//, group: 'comments', line_breaks: true });
const OpenComment = createToken({ name: 'OpenComment', pattern: /\/\*[^]*/, group: 'comments', line_breaks: true });

/** What begins a token, a comment or white space; a run of anything else is one report. */
const BEGINNINGS = ' \\t\\r\\n\\f\\uFEFF\\w"#{}()[\\],:.+\\-*/%&|~=';
const isBeginning = new RegExp(`[${BEGINNINGS}]`);
/** The lexer looks at no fewer than 128 characters above Latin-1 together: one stands for all of them. */
const CODES = [...Array(0x100).keys(), ...Array.from({ length: 0x200 }, (_, index) => index * 128).filter((code) => code > 0xff)];
const Unexpected = createToken({
  name: 'Unexpected',
  pattern: new RegExp(`[^${BEGINNINGS}<>]+|[<>]`),
  group: 'unexpected',
  start_chars_hint: CODES.filter((code) => !isBeginning.test(String.fromCharCode(code))),
});

const OpenStr = createToken({ name: 'OpenStr', pattern: /"[^"\r\n]*/, label: 'a string' });

/** What the lexer tries, in this order. Words of the language come from Word tokens and the like, PlusSize from Plus. */
const PATTERNS: TokenType[] = [
  Space, LineComment, BlockComment, OpenComment, Word, Mode, Version, Num, Str, OpenStr, Fault,
  ...SIGNS.filter((type) => type !== PlusSize), Unexpected,
]; // prettier-ignore

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

const lexer = new Lexer(PATTERNS, { positionTracking: 'onlyOffset', ensureOptimizations: true });

/** Braces, brackets and parentheses within each other at most. */
export const MAX_DEPTH = 200;

/** A token that is the first on its line carries its column (characters from the line's start) as payload. */
export function columnOf(token: IToken): number | null {
  return typeof token.payload === 'number' ? token.payload : null;
}

export function rangeOf(token: IToken): Range {
  return { start: token.startOffset, end: token.startOffset + token.image.length };
}

export interface Tokens {
  readonly tokens: IToken[];
  readonly comments: Comment[];
  readonly problems: SyntaxProblem[];
  /** The rest was not read, because it is nested too deeply. */
  readonly cut: boolean;
}

/** Never throws; every character is in a token, in a comment, white space, or reported. */
export function tokenize(text: string): Tokens {
  const lexed = lexer.tokenize(text);
  const problems = (lexed.groups['unexpected'] ?? []).slice(0, MAX_PROBLEMS + 1).map(unexpected);
  const comments = (lexed.groups['comments'] ?? []).map((token) => {
    if (token.tokenType === OpenComment) {
      const range = { start: token.startOffset, end: token.startOffset + 2 };
      problems.push({ code: 'unterminated-comment', message: "'/*' has no '*/'", range });
    }
    return { kind: 'comment' as const, block: token.tokenType !== LineComment, range: rangeOf(token) };
  });
  const tokens = lexed.tokens;
  const deep = refine(text, tokens, problems);
  if (deep) problems.push({ code: 'too-deep', message: `nested more than ${MAX_DEPTH} deep; the rest is not read`, range: rangeOf(deep) });
  return { tokens: deep ? tokens.slice(0, tokens.indexOf(deep)) : tokens, comments, problems, cut: deep !== null };
}

/** Gives words, signs and strings their place's type and marks line starts; returns a bracket that is nested too deeply. */
function refine(text: string, tokens: readonly IToken[], problems: SyntaxProblem[]): IToken | null {
  let depth = 0;
  let end = 0;
  for (const token of tokens) {
    const lineStart = lineStartIn(text, end, token.startOffset);
    if (lineStart !== null) token.payload = token.startOffset - lineStart;
    switch (token.tokenType) {
      case Num:
        if (token.image.length === 1) toWord(token);
        break;
      case Word:
      case Mode:
      case Version:
      case Fault:
        toWord(token);
        break;
      case Plus:
        if (token.startOffset > end && !/[\s/]/.test(text[token.startOffset + 1] ?? ' ')) retype(token, PlusSize);
        break;
      case OpenStr:
        problems.push({ code: 'unterminated-string', message: 'the string has no closing quote', range: rangeOf(token) });
        retype(token, Str);
        break;
      case LCurly:
      case LParen:
      case LSquare:
        if (++depth > MAX_DEPTH) return token;
        break;
      case RCurly:
      case RParen:
      case RSquare:
        if (depth > 0) depth--;
        break;
    }
    end = token.startOffset + token.image.length;
  }
  return null;
}

/** The last line start between the end of a token and the next one; null when they are on one line. */
function lineStartIn(text: string, from: number, to: number): number | null {
  for (let at = to - 1; at >= from; at--) {
    const code = text.charCodeAt(at);
    if (code === LINE_FEED || code === CARRIAGE_RETURN) return at + 1;
  }
  return from === 0 ? 0 : null;
}

/** Gives a word of the language its own type. */
function toWord(token: IToken): void {
  const type = wordType(token.image);
  if (type) retype(token, type);
}

function retype(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx!;
}

function unexpected(token: IToken): SyntaxProblem {
  const code = token.image.codePointAt(0)!;
  const character = String.fromCodePoint(code);
  const number = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  const shown = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) ? `'${character}' (${number})` : number;
  const more = token.image.length > character.length ? ' and more' : '';
  return { code: 'unexpected-character', message: `unexpected character ${shown}${more}`, range: rangeOf(token) };
}
