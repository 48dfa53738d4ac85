/**
 * The ground of the grammar: Chevrotain's parser, and around its strict rules a recovery of our own. The rules say what must
 * stand; what is missing is reported at its place, and an empty token stands for it, so that the rule goes on and its node
 * has what there is. After a report the parser is in panic and reports no more, until the list of items around it has
 * skipped to the next place where one can begin: the next line, or the closing brace.
 *
 * Lines matter in one way: a value or a name stands on the line of what comes before it, unless that is a bracket, a comma
 * or an operator. So a statement that is still being written does not swallow the next one.
 */
import type { TokenType } from 'chevrotain';
import type { ProblemCode } from '../problem';
import type { Scanned } from '../scan';
import * as t from '../tokens';
import { Token } from '../tokens';
import type { Definition, DefinitionOf, Flag, Reference, Text, Word as WordNode, WordAs } from '../tree';
import { Reports } from './reports';
import type { Value } from './rule';
import type { Consumed } from './running';

/** Of types that nothing else stands for. */
const isTerminal = (type: TokenType): boolean => !t.isBound(type) && type.LABEL?.startsWith("'") === true;

export class Ground extends Reports {
  /** Flags of the same place before the one that is being read. */
  already: readonly (Flag | WordNode)[] = [];
  /** The event whose fields are being read. */
  inEvent = '';
  /** Expressions around the one that is being read, and operators read in the outermost so far. */
  readonly depth = { within: 0, operators: 0 };

  protected override begin(scanned: Scanned, from: number): void {
    super.begin(scanned, from);
    this.depth.within = 0;
  }

  /* ------------------------------------------------------------ tokens */

  /** The next token, if it is what must stand here and on a line where it may; otherwise a report, and an absent one. */
  protected consumed(type: TokenType, options: Consumed | undefined, _occurrence: number): Token {
    if (t.matches(this.kind(), type) && !(this.broken() && t.isBound(type))) return this.take();
    return this.notFound(type, options);
  }

  /** Stands for a token that is missing, at its place. */
  private absent(): Token {
    return new Token(0, '', this.lastEnd(), -1);
  }

  private notFound(type: TokenType, options: Consumed | undefined): Token {
    if (isTerminal(type)) {
      this.expectedSign(t.textOf(type));
      return this.absent();
    }
    const { tokenType } = this.next();
    if (options?.DEFINES || options?.REFERS) {
      if (t.isReserved(tokenType) && !this.onNewLine()) {
        const token = this.take();
        this.report('reserved-word', `'${token.image}' is a word of the language; choose another name`, t.rangeOf(token));
        return token;
      }
    } else if (options?.UNKNOWN && t.isOf(tokenType, t.Word) && !this.broken()) {
      return this.strange(type, options.UNKNOWN);
    }
    this.expected(options?.ERR_MSG ?? type.LABEL ?? type.name);
    return this.absent();
  }

  /** Takes a word that is none of its category's, with a report. */
  strange(type: TokenType, code: ProblemCode = 'unknown-word', choices?: readonly string[]): Token {
    const token = this.take();
    const { what, words } = t.explanationOf(type)!;
    this.unknown(code, what, { text: token.image, range: t.rangeOf(token) }, choices ?? words);
    return token;
  }

  /** Takes the rest of the line, up to a token that ends it sooner or the end of the body. */
  skipLine(ends: (token: Token) => boolean): void {
    while (!this.atEnd() && !this.onNewLine() && !this.is(t.RCurly) && !ends(this.next())) this.take();
  }

  /* ------------------------------------------------------------ gates */

  /**
   * Whether a clause begins here with the word that is next, not a statement that begins with a name like it: such a name is
   * followed by one of `[ . = :`, or begins a line and is followed by `(`.
   */
  clause(): boolean {
    if (this.is(t.LParen, 2)) return !this.onNewLine();
    return !(this.is(t.LSquare, 2) || this.is(t.Dot, 2) || this.is(t.Assign, 2) || this.is(t.Colon, 2));
  }

  /** The word that is next is not already there; what is there twice is reported by those who build the node. */
  once(_already: boolean): boolean {
    return true;
  }

  /** A list that has to be here after all, though nothing of it is. */
  otherwise<T>(list: () => T, none: T): T {
    return this.RECORDING_PHASE ? none : list();
  }

  /** Hook: a value of this kind begins here. */
  expectsValue(_value: Value): void {}

  /* ------------------------------------------------------------ names */

  isThere(token: Token): boolean {
    return token.kind !== 0;
  }

  wordOf<A extends WordAs>(token: Token, as: A): WordNode {
    return { kind: 'word', as, text: token.image, range: t.rangeOf(token) };
  }

  /** The word, or null for a token that is missing. */
  wordOrNull(token: Token, as: WordAs): WordNode | null {
    return !this.isThere(token) ? null : this.wordOf(token, as);
  }

  referenceOf(token: Token, to: Reference['to']): Reference {
    return { kind: 'reference', to, text: token.image, range: t.rangeOf(token) };
  }

  referenceOrNull(token: Token, to: Reference['to']): Reference | null {
    return !this.isThere(token) ? null : this.referenceOf(token, to);
  }

  definitionOrNull(token: Token, of: DefinitionOf): Definition | null {
    return !this.isThere(token) ? null : { kind: 'definition', of, text: token.image, range: t.rangeOf(token) };
  }

  textOrNull(token: Token): Text | null {
    return !this.isThere(token) ? null : { kind: 'text', value: token.image.replace(/^"|"$/g, ''), range: t.rangeOf(token) };
  }
}
