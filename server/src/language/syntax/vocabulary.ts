/**
 * The kinds of token. A word of the language is a kind of its own, in the categories of the places where it may stand: `pages`
 * is a setting of a slot, a flag of a mapping and a clause. Words that are not reserved are names as well, so the grammar
 * says `a name` or `this word`, and which of both is meant is told by the place.
 */
import type { TokenType } from 'chevrotain';
import type { Category } from './keywords';
import { RESERVED } from './words/reserved';
import {
  ACTORS,
  ERRNOS,
  EVENT_WORDS,
  FAULT_FLAGS,
  FORMATS,
  MMU_KINDS,
  PAGE_STATES,
  REASONS,
  SCOPES,
  STATISTIC_WORDS,
} from './words/observed';
import { BITS, FLAGS, REGISTERS, type FlagPlace } from './words/paging';
import { ACTS, CLAUSES, DECLARATIONS, EXPECTATIONS, HOST_ACTS } from './words/structure';
import { SETTING_BLOCKS, type SettingBlock, type SettingSpec, type Takes } from './words/settings';

/* ---------------------------------------------------------------- categories */

/** Where a category's words are explained: a category of keywords.ts, and what they belong to. */
export interface Explained {
  readonly as: Category;
  readonly of?: string;
  /** For messages, as `flag of #PF`. */
  readonly what: string;
  /** All of them, as they are offered. */
  readonly words: readonly string[];
}

const explained = new Map<TokenType, Explained>();
/** The kinds that a value or a name has to be: they stand on the line of what comes before them. */
const bound = new Set<TokenType>();
const categoriesOf = new Map<string, TokenType[]>();

/**
 * Categories are kept here, not as Chevrotain's, which works out all members of all categories anew for each kind that is made;
 * with some four hundred of them that was half of the time to start. So the kinds have their indices from here as well, above
 * those that Chevrotain gives to its own.
 */
let nextIndex = 64;
const above = new Map<TokenType, readonly TokenType[]>();
const typesAt: TokenType[] = [];

function kind(name: string, LABEL: string, categories: readonly TokenType[] = []): TokenType {
  const type: TokenType = { name, LABEL, tokenTypeIdx: nextIndex++ };
  if (categories.length > 0) above.set(type, categories);
  typesAt[type.tokenTypeIdx!] = type;
  return type;
}

function category(name: string, label: string): TokenType {
  return kind(name, label);
}

/** The category of some words. */
function words(name: string, texts: readonly string[], more?: Omit<Explained, 'words'>): TokenType {
  const type = category(name, more ? `a ${more.what}` : name);
  for (const text of texts) {
    const all = categoriesOf.get(text);
    if (all) all.push(type);
    else categoriesOf.set(text, [type]);
  }
  if (more) explained.set(type, { ...more, words: texts });
  bound.add(type);
  return type;
}

/** Words that may go on in the next line. */
function unbound(type: TokenType): TokenType {
  bound.delete(type);
  return type;
}

/** What the words of a category are; undefined for signs, names and single words. */
export function explanationOf(type: TokenType): Explained | undefined {
  return explained.get(type);
}

export function isBound(type: TokenType): boolean {
  return bound.has(type);
}

/* ---------------------------------------------------------------- names, numbers, strings */

/** Any word, reserved or not. */
export const AnyWord = category('AnyWord', 'a word');
/** What may name a vCPU. */
export const VcpuName = category('VcpuName', 'a name or number');
/** What begins an operand: a name is one, if nothing says otherwise. */
export const Word = kind('Word', 'a name', [AnyWord, VcpuName]);
export const Mode = kind('Mode', 'a paging mode');
export const MODES = ['32-bit', '4-level', '5-level'] as const;
/** `6.1` */
export const Version = kind('Version', 'a version');
export const Num = kind('Num', 'a number', [VcpuName]);
export const Str = kind('Str', 'a string');
/** `#PF` */
export const Fault = kind('Fault', 'a fault');
for (const type of [AnyWord, VcpuName, Word, Mode, Version, Num, Str, Fault]) bound.add(type);

/* ---------------------------------------------------------------- signs */

/** `+`, `<<` and so on between two operands. */
export const Operator = category('Operator', 'an operator');
/** `-` and `~` before an operand. */
export const Sign = category('Sign', 'a sign');
export const Comparison = category('Comparison', 'a comparison');
/** What an access stores with. */
export const Stores = category('Stores', "'=' or '+='");

function sign(name: string, text: string, ...categories: TokenType[]): TokenType {
  return kind(name, `'${text}'`, categories);
}

export const Arrow = sign('Arrow', '->');
export const DotDot = sign('DotDot', '..');
export const PlusAssign = sign('PlusAssign', '+=', Stores);
export const Equal = sign('Equal', '==', Comparison);
export const AtMost = sign('AtMost', '<=', Comparison);
export const AtLeast = sign('AtLeast', '>=', Comparison);
export const ShiftLeft = sign('ShiftLeft', '<<', Operator);
export const ShiftRight = sign('ShiftRight', '>>', Operator);
export const Assign = sign('Assign', '=', Stores);
export const LCurly = sign('LCurly', '{');
export const RCurly = sign('RCurly', '}');
export const LParen = sign('LParen', '(');
export const RParen = sign('RParen', ')');
export const LSquare = sign('LSquare', '[');
export const RSquare = sign('RSquare', ']');
export const Comma = sign('Comma', ',');
export const Colon = sign('Colon', ':');
export const Dot = sign('Dot', '.');
/** `+` with a space before and none behind: the length of a range, `a +2M`; elsewhere a plain sum. */
export const PlusSize = kind('PlusSize', "'+'", [Operator]);
export const Plus = sign('Plus', '+', Operator);
export const Minus = sign('Minus', '-', Operator, Sign);
export const Times = sign('Times', '*', Operator);
export const Divide = sign('Divide', '/', Operator);
export const Modulo = sign('Modulo', '%', Operator);
export const And = sign('And', '&', Operator);
export const Or = sign('Or', '|', Operator);
export const Not = sign('Not', '~', Sign);

export const SIGNS: readonly TokenType[] = [
  Arrow, DotDot, PlusAssign, Equal, AtMost, AtLeast, ShiftLeft, ShiftRight, Assign, LCurly, RCurly, LParen, RParen,
  LSquare, RSquare, Comma, Colon, Dot, PlusSize, Plus, Minus, Times, Divide, Modulo, And, Or, Not,
]; // prettier-ignore

/* ---------------------------------------------------------------- words by their places */

const keys = Object.keys;

export const Switch = words('Switch', ['on', 'off', 'yes', 'no'], { as: 'clause', what: 'switch' });
export const Privilege = words('Privilege', ['user', 'supervisor', 'implicit'], { as: 'statement', what: 'privilege' });
export const AccessKind = words('AccessKind', ['read', 'write', 'fetch', 'rmw'], { as: 'statement', what: 'access' });
/** Of an access; the rules name each. */
export const Clause = words('Clause', ['size', 'ac', 'x', 'step']);
export const Entering = words('Entering', ['vmlaunch', 'vmresume', 'vmrun'], { as: 'statement', what: 'entry' });
export const MmioKind = words('MmioKind', ['read', 'write'], { as: 'statement', what: 'access' });
export const MmuKind = words('MmuKind', keys(MMU_KINDS), { as: 'mmu', what: 'kind of MMU' });
export const Format = words('Format', keys(FORMATS), { as: 'format', what: 'format of tables' });
export const Scope = words('Scope', keys(SCOPES), { as: 'scope', what: 'scope' });
export const Event = words('Event', keys(EVENT_WORDS), { as: 'event', what: 'event' });
export const Reason = words('Reason', keys(REASONS), { as: 'reason', what: 'exit reason' });
export const Actor = words('Actor', keys(ACTORS), { as: 'actor', what: 'actor' });
export const Errno = words('Errno', keys(ERRNOS), { as: 'errno', what: 'errno' });
export const PageState = words('PageState', keys(PAGE_STATES), { as: 'state', what: 'state of a page' });
export const Statistic = words('Statistic', keys(STATISTIC_WORDS), { as: 'statistic', what: 'name of kvm_stat' });
export const FaultFlag = unbound(words('FaultFlag', keys(FAULT_FLAGS), { as: 'fault-flag', what: 'flag of #PF' }));
export const FaultName = words('FaultName', ['#PF', '#GP'], { as: 'expectation', what: 'fault' });
export const Counted = words('Counted', ['exits', 'references'], { as: 'expectation', what: 'count' });
export const Space = words('Space', ['gpa', 'hva', 'hpa'], { as: 'expectation', what: 'address' });
export const BuiltIn = words('BuiltIn', ['shadow', 'tdp', 'tlb'], { as: 'expectation', what: 'built-in table' });
export const EntryBit = words('EntryBit', keys(BITS), { as: 'bit', of: 'entry', what: 'bit of an entry' });

export interface RegisterTypes {
  readonly register: string;
  /** Null: it has no bits of its own. */
  readonly bit: TokenType | null;
}

export const Register = words('Register', keys(REGISTERS), { as: 'register', what: 'register' });
export const REGISTER_TYPES: readonly RegisterTypes[] = Object.entries(REGISTERS).map(([register, { bits }]) => ({
  register,
  bit: keys(bits).length === 0 ? null : words(`Bit_${register}`, keys(bits), { as: 'bit', of: register, what: `bit of ${register}` }),
}));

/** Flags by their places: those that stand alone, and those that take a size or a number. */
export interface FlagTypes {
  readonly alone: TokenType;
  readonly sized: TokenType | null;
  readonly numbered: TokenType | null;
}

function flagTypes(place: FlagPlace): FlagTypes {
  const of = (takes: 'a size' | 'a number' | undefined, name: string): TokenType | null => {
    const texts = Object.entries(FLAGS[place]).flatMap(([text, spec]) => (spec.takes === takes ? [text] : []));
    if (texts.length === 0) return null;
    return unbound(words(`${name}_${place}`, texts, { as: 'flag', of: place, what: 'flag' }));
  };
  return { alone: of(undefined, 'Flag')!, sized: of('a size', 'SizedFlag'), numbered: of('a number', 'NumberedFlag') };
}

export const FLAG_TYPES: { readonly [place in FlagPlace]: FlagTypes } = {
  mapping: flagTypes('mapping'),
  entry: flagTypes('entry'),
  slot: flagTypes('slot'),
  protect: flagTypes('protect'),
};

/** Settings of a block by what they take; those with a dot by the word before it. */
export interface SettingTypes {
  readonly byTakes: ReadonlyMap<Takes, TokenType>;
  readonly choices: ReadonlyMap<string, TokenType>;
  readonly dotted: ReadonlyMap<string, TokenType>;
}

function settingTypes(block: SettingBlock): SettingTypes {
  const specs = Object.entries(SETTING_BLOCKS[block]);
  const plain = specs.filter(([name]) => !name.includes('.'));
  const taking = (takes: Takes): string[] => plain.flatMap(([name, spec]) => (spec.takes === takes ? [name] : []));
  const what = `setting of ${block}`;
  const named = (name: string, texts: readonly string[]): TokenType => words(name, texts, { as: 'setting', of: block, what });
  return {
    byTakes: new Map(
      [...new Set(plain.map(([, spec]) => spec.takes))].map((takes) => [takes, named(`Setting_${block}_${takes}`, taking(takes))]),
    ),
    choices: new Map(specs.flatMap(([name, spec]) => (spec.choices ? [[name, choiceType(block, name, spec)] as const] : []))),
    dotted: dottedTypes(block, specs.filter(([name]) => name.includes('.')).map(([name]) => name)), // prettier-ignore
  };
}

function choiceType(block: SettingBlock, of: string, { choices }: SettingSpec): TokenType {
  return words(`Choice_${block}_${of}`, keys(choices!), { as: 'choice', of, what: of });
}

function dottedTypes(block: SettingBlock, names: readonly string[]): Map<string, TokenType> {
  const first = new Map<string, string[]>();
  for (const name of names) {
    const [before, after] = name.split('.') as [string, string];
    first.set(before, [...(first.get(before) ?? []), after]);
  }
  return new Map(
    [...first].map(([before, after]) => [
      before,
      words(`Setting_${block}_${before}`, after, { as: 'bit', of: before, what: `bit of ${before}` }),
    ]),
  );
}

export const SETTING_TYPES = Object.fromEntries(
  (Object.keys(SETTING_BLOCKS) as SettingBlock[]).map((block) => [block, settingTypes(block)]),
) as { readonly [block in SettingBlock]: SettingTypes };
/** Kernels, as those of the host. */
export const Kernel = SETTING_TYPES.kvm.choices.get('kernel')!;

/** Words that stand for themselves in the rules, and are names elsewhere: those that kinds bring. */
const CONTEXTUAL = [DECLARATIONS, ACTS, CLAUSES, HOST_ACTS, EXPECTATIONS].flatMap(keys);
for (const text of [...RESERVED, ...CONTEXTUAL]) if (!categoriesOf.has(text)) categoriesOf.set(text, []);

const reservedWords: ReadonlySet<string> = new Set(RESERVED);
const types = new Map<string, TokenType>();
for (const [text, categories] of categoriesOf) types.set(text, kind(`'${text}'`, `'${text}'`, [lexicalType(text), ...categories]));

function lexicalType(text: string): TokenType {
  if (reservedWords.has(text)) return AnyWord;
  if (/^[A-Za-z_]/.test(text)) return Word;
  if (text.startsWith('#')) return Fault;
  return /^[0-9]+$/.test(text) ? Num : text.includes('.') ? Version : Mode;
}

/** The text that a sign or a word of the language is. */
export function textOf(type: TokenType): string {
  return type.LABEL!.slice(1, -1);
}

/** The kind of a word of the language; undefined for other names. */
export function wordType(text: string): TokenType | undefined {
  return types.get(text);
}

/** The kind of a word that rules name. */
export function word(text: string): TokenType {
  const type = types.get(text);
  if (!type) throw new Error(`${text} is not a word of the language`);
  return type;
}

/** The indices of words' kinds. */
export function kindsOf(texts: readonly string[]): ReadonlySet<number> {
  return new Set(texts.map((text) => word(text).tokenTypeIdx!));
}

/** All words, in no order. */
export const WORD_TYPES: readonly TokenType[] = [...types.values()];

/** The kinds that a scan tells apart, beside words. */
export const LEXICAL: readonly TokenType[] = [Word, Mode, Version, Num, Str, Fault, ...SIGNS];

/** One more than the largest index of a kind. */
export const KINDS_END = nextIndex;

const NONE: TokenType = { name: 'none', tokenTypeIdx: 0 };

/** A kind by its index; 0 is none. */
export function typeAt(index: number): TokenType {
  return typesAt[index] ?? NONE;
}

const textsAt: (string | undefined)[] = new Array<undefined>(KINDS_END).fill(undefined);
for (const type of [...SIGNS, ...WORD_TYPES]) textsAt[type.tokenTypeIdx!] = textOf(type);

/** The text that tokens of a kind are, if they all are the same. */
export function textAt(index: number): string | undefined {
  return textsAt[index];
}

const reservedTypes: ReadonlySet<TokenType> = new Set(RESERVED.map(word));

export function isReserved(type: TokenType): boolean {
  return reservedTypes.has(type);
}

/** Indices of a kind and of those in it, by its own. */
const membersAt: number[][] = [];
/** 1 for a member, by the indices of the category and of the kind: this is asked of every token, several times. */
const isMember = new Uint8Array(KINDS_END * KINDS_END);

function setMember(category: TokenType, kind: number): void {
  const index = category.tokenTypeIdx!;
  if (isMember[index * KINDS_END + kind] === 1) return;
  isMember[index * KINDS_END + kind] = 1;
  (membersAt[index] ??= []).push(kind);
  for (const around of above.get(category) ?? []) setMember(around, kind);
}
for (const type of [...LEXICAL, ...WORD_TYPES]) setMember(type, type.tokenTypeIdx!);

/** Indices of the kinds that are a category or in it, by its own. */
export function indicesIn(category: number): readonly number[] {
  return membersAt[category] ?? [category];
}

/** Whether a token of that kind is one of `category`, or of that very kind. */
export function isOf(type: TokenType, category: TokenType): boolean {
  return matches(type.tokenTypeIdx!, category);
}

/** As `isOf`, by the index of a token's type. */
export function matches(index: number, category: TokenType): boolean {
  return isMember[category.tokenTypeIdx! * KINDS_END + index] === 1;
}
