/**
 * The form of what is being written, from the recorded rules: `user read <linear address> ( size <bytes> | … )* ( expect … )*`. Choices
 * that the text has made are made, words and names stand as they are written, and the parts are marked, so that the one at
 * the place can be shown. The signs are those of the EBNF in the reference.
 */
import {
  Alternation, NonTerminal, Option, Repetition, RepetitionMandatoryWithSeparator, Terminal,
  type Alternative, type IProduction, type TokenType,
} from 'chevrotain'; // prettier-ignore
import type { Category } from '../keywords';
import * as t from '../vocabulary';
import { VALUE_WORDS } from '../words/values';
import type { Way } from './explorer';
import { firstOf } from './first';
import { isFrame, type Frame } from './frames';
import type { Productions } from './recording';
import type { ValueOf } from './rule';

/** A word of the language; `as` and `of`: where it is explained, when the place tells. */
interface FormWord {
  readonly text: string;
  readonly as?: Category;
  readonly of?: string;
}

/** What stands in a part of a form. */
interface Content {
  readonly words: readonly FormWord[];
  readonly values: readonly ValueOf[];
  /** The place is in it. */
  readonly holds: boolean;
}

/** A part of a form's text. */
export interface FormPart extends Content {
  readonly start: number;
  readonly end: number;
}

/** Some of a form, with its parts. */
interface Piece extends Content {
  readonly text: string;
  readonly parts: readonly FormPart[];
}

/** Rules whose content is a value, whatever it is made of. */
export const VALUES: ReadonlySet<string> = new Set(['expression', 'operand', 'parenthesized']);

/** Rules that have forms of their own: in the forms of what is around them they stand for what they read. */
const NAMED: { readonly [rule: string]: string } = {
  statement: '<statement>',
  hostAct: '<act>',
  expectation: '<expectation>',
  event: '<event>',
  expect: 'expect …',
  under: '( under … | with … )',
  kernels: 'with kernel …',
};

/** Words of a category are listed up to this many. */
const MOST_LISTED = 20;

const NAMES: { readonly [type: string]: string } = { Word: 'name', AnyWord: 'word', VcpuName: 'name or number', Num: 'number' };

interface Context {
  /** What has been read of the rule; null: nothing. */
  readonly frame: Frame | null;
  /** What the value is of, when the rule does not say. */
  readonly label: string | undefined;
  /** It is in what may repeat, where choices stay open and words are not those that are written. */
  readonly repeats: boolean;
  /** It belongs to a part. */
  readonly within: boolean;
}

export class FormWriter {
  /** Of each rule around the place the one that is next in it; null: the token itself is. */
  private readonly next = new Map<Frame, Frame | null>();

  constructor(
    private readonly productions: Productions,
    private readonly way: Way,
  ) {
    let inner: Frame | null = null;
    for (let frame: Frame | null = way.frame; frame; inner = frame, frame = frame.around) this.next.set(frame, inner);
  }

  /** The form of one of the rules around the place. */
  form(root: Frame): Piece {
    return this.sequence(this.productions[root.rule]!.definition, { frame: root, label: undefined, repeats: false, within: false });
  }

  /** The text may do without what would come next, as far as that rule says. */
  isOptional(root: Frame): boolean {
    return this.mayLack(this.productions[root.rule]!.definition, root);
  }

  /* ------------------------------------------------------------ where the place is */

  /** Something of the rule has been read. */
  private hasBegun(frame: Frame | null): boolean {
    return frame !== null && (frame.read.length > 0 || this.hasBegun(this.next.get(frame) ?? null));
  }

  private isNext(part: IProduction, frame: Frame | null): boolean {
    const inner = frame ? this.next.get(frame) : undefined;
    if (inner === undefined) return false;
    if (part instanceof NonTerminal) return inner !== null && inner.rule === part.nonTerminalName && inner.occurrence === part.idx;
    if (inner !== null) return false;
    if (part instanceof Terminal) return part.terminalType === this.way.type && part.idx === this.way.occurrence;
    return part instanceof RepetitionMandatoryWithSeparator && part.separator === this.way.type;
  }

  private holds(part: IProduction, frame: Frame | null): boolean {
    if (this.isNext(part, frame)) return true;
    return isContainer(part) && part.definition.some((inner) => this.holds(inner, frame));
  }

  /** What was read last by a part. */
  private readBy(part: IProduction, frame: Frame | null): Frame['read'][number] | undefined {
    return frame?.read
      .filter((each) =>
        isFrame(each)
          ? part instanceof NonTerminal && part.nonTerminalName === each.rule && part.idx === each.occurrence
          : part instanceof Terminal && part.terminalType === each.type && part.idx === each.occurrence,
      )
      .at(-1);
  }

  private isRead(part: IProduction, frame: Frame | null): boolean {
    if (this.readBy(part, frame)) return true;
    if (this.isNext(part, frame)) return this.hasBegun(this.next.get(frame!)!);
    return isContainer(part) && part.definition.some((inner) => this.isRead(inner, frame));
  }

  private isPast(parts: readonly IProduction[], frame: Frame | null): boolean {
    return parts.some((each) => this.isRead(each, frame));
  }

  private mayLack(parts: readonly IProduction[], frame: Frame): boolean {
    const part = parts.find((each) => this.holds(each, frame));
    if (!part || part instanceof Terminal) return false;
    if (part instanceof NonTerminal) return this.mayLack(this.productions[part.nonTerminalName]!.definition, this.next.get(frame)!);
    if (part instanceof RepetitionMandatoryWithSeparator && this.isNext(part, frame)) return true;
    return (isOptional(part) && this.isAtStart(definitionOf(part), frame)) || this.mayLack(definitionOf(part), frame);
  }

  /** Nothing of a sequence stands before the place. */
  private isAtStart(parts: readonly IProduction[], frame: Frame): boolean {
    const at = parts.findIndex((each) => this.holds(each, frame));
    const part = parts[at];
    if (!part || !parts.slice(0, at).every(isOptional)) return false;
    if (part instanceof Terminal) return true;
    if (part instanceof NonTerminal) return !this.hasBegun(this.next.get(frame)!);
    const inner = definitionOf(part);
    return this.isAtStart(part instanceof Alternation ? inner.filter((each) => this.holds(each, frame)) : inner, frame);
  }

  /* ------------------------------------------------------------ pieces */

  private sequence(parts: readonly IProduction[], context: Context): Piece {
    const pieces: Piece[] = [];
    parts.forEach((part, index) => {
      const piece = this.piece(part, context);
      const before = pieces.at(-1);
      // `flag flag*`
      if (before && piece.text === `${grouped(before.text)}*`) {
        pieces.pop();
        pieces.push(whole({ ...together([before, piece]), text: `${grouped(before.text)}+`, parts: [] }, context));
      }
      // `vm.tables[`: the name that is written is that of tables.
      else if (!(/^[.].*[?]$/.test(piece.text) && this.isPast(parts.slice(index + 1), context.frame))) pieces.push(piece);
    });
    return joined(pieces);
  }

  private piece(part: IProduction, context: Context): Piece {
    const { frame } = context;
    if (part instanceof Terminal) return whole(this.terminal(part, context), context);
    if (part instanceof NonTerminal) return this.rule(part, context);
    if (part instanceof Alternation) return this.choice(part, context);
    const inner = this.sequence(definitionOf(part), { ...context, within: true, repeats: context.repeats || !(part instanceof Option) });
    if (part instanceof Option) {
      return whole({ ...inner, text: this.isRead(part, frame) ? inner.text : `${grouped(inner.text)}?` }, context, inner.parts);
    }
    const holds = inner.holds || this.isNext(part, frame);
    if (part instanceof Repetition) return whole({ ...inner, text: `${grouped(inner.text)}*`, holds }, context, shifted(inner));
    return whole({ ...inner, text: `${inner.text} ( , … )*`, holds }, context);
  }

  private choice({ definition }: Alternation, context: Context): Piece {
    const { frame, repeats } = context;
    const taken = repeats ? undefined : definition.find((each) => this.isRead(each, frame));
    if (taken) return this.sequence(definitionOf(taken), context);
    const all = definition.map((each) => {
      const piece = this.sequence(definitionOf(each), { ...context, within: true });
      // A choice within a choice is a part of it.
      const inner = piece.text.startsWith('( ') && isGrouped(piece.text) ? opened(piece) : piece;
      return inner !== piece && inner.parts.length > 0 ? inner : whole(inner, { ...context, within: false });
    });
    const inner = joined(all.flatMap((each, index) => (index === 0 ? [each] : [literal('|'), each])));
    return whole({ ...inner, text: grouped(inner.text) }, context, shifted(inner));
  }

  private rule(part: NonTerminal, context: Context): Piece {
    const { nonTerminalName: name } = part;
    const { definition } = this.productions[name]!;
    const isNext = this.isNext(part, context.frame);
    const inner = isNext ? this.next.get(context.frame!)! : this.readBy(part, context.frame);
    const frame = inner && isFrame(inner) ? inner : null;
    const label = part.label === undefined || part.label === 'value' ? context.label : part.label;
    if (VALUES.has(name)) {
      const of = (label ?? 'value') as ValueOf;
      return whole({ ...literal(`<${VALUE_WORDS[of].name}>`), values: [of], holds: isNext }, context);
    }
    const isBody = definition[0] instanceof Terminal && definition[0].terminalType === t.LCurly;
    if (isBody && !(isNext && (this.next.get(frame!) || this.way.begins !== null)))
      return whole({ ...literal('{ … }'), holds: isNext }, context);
    if (Object.hasOwn(NAMED, name) && !(isNext && this.hasBegun(frame))) {
      const words = [...firstOf(definition).types].flatMap(wordsOf);
      return whole({ ...literal(NAMED[name]!), words, holds: isNext }, context);
    }
    return this.sequence(definition, { ...context, frame, label });
  }

  private terminal(part: Terminal, { frame, repeats }: Context): Piece {
    const { terminalType: type, label } = part;
    const read = repeats ? undefined : this.readBy(part, frame);
    const words = wordsOf(type);
    const text = read && !isFrame(read) ? read.token.image.slice(0, 30) : textOf(type, label);
    return { ...literal(text), words, holds: this.isNext(part, frame) };
  }
}

type Container = IProduction & { readonly definition: readonly IProduction[] };

function isContainer(part: IProduction): part is Container {
  return !(part instanceof Terminal || part instanceof NonTerminal);
}

function definitionOf(part: IProduction): readonly IProduction[] {
  return (part as Alternative).definition;
}

function isOptional(part: IProduction): boolean {
  return part instanceof Option || part instanceof Repetition;
}

/* ---------------------------------------------------------------- texts */

function literal(text: string): Piece {
  return { text, parts: [], words: [], values: [], holds: false };
}

/** A piece that is a part, unless it belongs to one; `inner` are parts of it. */
function whole(piece: Piece, { within }: Context, inner: readonly FormPart[] = []): Piece {
  const { text, words, values, holds } = piece;
  return { ...piece, parts: within ? inner : [{ start: 0, end: text.length, words, values, holds }, ...inner] };
}

function together(pieces: readonly Piece[]): Piece {
  return {
    ...literal(''),
    words: distinct(
      pieces.flatMap(({ words }) => words),
      ({ text }) => text,
    ),
    values: distinct(
      pieces.flatMap(({ values }) => values),
      (value) => value,
    ),
    holds: pieces.some(({ holds }) => holds),
  };
}

function distinct<T>(all: readonly T[], by: (each: T) => string): T[] {
  return [...new Map(all.map((each) => [by(each), each])).values()];
}

/** Pieces behind each other; brackets, dots and the like stand close to what is beside them. */
function joined(pieces: readonly Piece[]): Piece {
  let text = '';
  const parts: FormPart[] = [];
  for (const piece of pieces) {
    const isClose = text === '' || /(?:^|[^.])[.[(]$/.test(text) || /^(?:[,:\])[]|[.](?![.])|[(](?! ))/.test(piece.text);
    const at = text.length + (isClose ? 0 : 1);
    text = `${text}${isClose ? '' : ' '}${piece.text}`;
    for (const part of piece.parts) parts.push({ ...part, start: part.start + at, end: part.end + at });
  }
  return { ...together(pieces), text, parts };
}

/** A word, or all of it is in one pair of parentheses. */
function isGrouped(text: string): boolean {
  if (/^(?:[^ ]+|<[^<>]*>)$/.test(text)) return true;
  if (!text.startsWith('( ')) return false;
  let depth = 0;
  const end = [...text].findIndex((character) => (depth += character === '(' ? 1 : character === ')' ? -1 : 0) === 0);
  return end === text.length - 1;
}

function grouped(text: string): string {
  return isGrouped(text) ? text : `( ${text} )`;
}

/** Without its parentheses. */
function opened(piece: Piece): Piece {
  const parts = piece.parts.map((part) => ({ ...part, start: part.start - 2, end: part.end - 2 }));
  return { ...piece, text: piece.text.slice(2, -2), parts };
}

/** The parts of a piece where they stand once it is in parentheses. */
function shifted({ text, parts }: Piece): FormPart[] {
  const by = isGrouped(text) ? 0 : 2;
  return parts.map((part) => ({ ...part, start: part.start + by, end: part.end + by }));
}

function textOf(type: TokenType, label: string | undefined): string {
  const explained = t.explanationOf(type);
  if (explained) return explained.words.length <= MOST_LISTED ? oneOf(explained.words) : `<${explained.what}>`;
  if (label !== undefined) return label.startsWith('"') ? label : `<${label}>`;
  const signs = t.SIGNS.filter((sign) => sign !== type && t.isOf(sign, type));
  if (signs.length > 0) return oneOf(signs.map(t.textOf));
  return NAMES[type.name] === undefined ? t.textOf(type) : `<${NAMES[type.name]}>`;
}

function oneOf(texts: readonly string[]): string {
  return texts.length === 1 ? texts[0]! : `( ${texts.join(' | ')} )`;
}

function wordsOf(type: TokenType): FormWord[] {
  const explained = t.explanationOf(type);
  if (explained)
    return explained.words.map((text) => ({ text, as: explained.as, ...(explained.of === undefined ? {} : { of: explained.of }) }));
  return t.WORD_TYPES.includes(type) ? [{ text: t.textOf(type) }] : [];
}
