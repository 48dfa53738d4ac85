/** What several statements and items have in common: entries, registers, flags, constants. */
import type { SubruleMethodOpts, TokenType } from 'chevrotain';
import * as t from '../tokens';
import type { Token } from '../tokens';
import type { EntryReference, Expect, Expression, Flag, Reference, Word } from '../tree';
import { FLAGS, type FlagPlace } from '../words/paging';
import { value, type Grammar, type Rule, type Value, type ValueOf } from './rule';

/* ---------------------------------------------------------------- entries and registers */

const TABLE = { ERR_MSG: 'the name of tables', REFERS: 'table', LABEL: 'tables' } as const;
const ADDRESS = value('an address', 'address', { sameLine: true });
const LEVEL = value('a level', 'level');

/** Whether an entry begins here: `name[`, `vm.name[`. */
export function isEntry($: Grammar): boolean {
  if (!$.may(t.Word, 1)) return false;
  return $.may(t.LSquare, 2) || ($.may(t.Dot, 2) && $.may(t.Word, 3) && $.may(t.LSquare, 4));
}

/** `kernel[0x40_0000]`, `l1.ept12[0x5000 level 2]` */
export const entry: Rule<[], EntryReference> = ($) => {
  const tables = (): Reference => {
    $.CONSUME(t.Dot);
    const found = $.referenceOrNull($.CONSUME2(t.Word, TABLE), 'table');
    return found ?? { kind: 'reference', to: 'table', text: '', range: $.behind() };
  };
  const level = (): Expression => {
    $.CONSUME(t.word('level'));
    return $.SUBRULE2($.expression, LEVEL);
  };
  return () => {
    const first = $.CONSUME1(t.Word, TABLE);
    const second = $.OPTION(tables) ?? null;
    const vm = second && $.referenceOf(first, 'vm');
    const table = second ?? $.referenceOf(first, 'table');
    $.CONSUME(t.LSquare);
    const address = $.SUBRULE($.expression, ADDRESS);
    const at = $.OPTION2(level) ?? null;
    $.CONSUME(t.RSquare);
    return { kind: 'entry', vm, table, address, level: at, range: $.since(first.startOffset) };
  };
};

const ENTRY_BIT = { ERR_MSG: 'the name of a bit' };

/** `.writable` */
export const entryBit: Rule<[], Word | null> = ($) => () => {
  $.CONSUME(t.Dot);
  if (isStrangeBit($, t.EntryBit)) return $.wordOf($.take(), 'bit');
  return $.wordOrNull($.CONSUME(t.EntryBit, ENTRY_BIT), 'bit');
};

/** A name that is no bit of an entry; whether it is one is told later, by the format of the tables. */
function isStrangeBit($: Grammar, bits: TokenType): boolean {
  return !$.is(bits) && !$.broken() && ($.is(t.Word) || $.is(t.word('user')));
}

export interface RegisterPart {
  readonly register: Word;
  readonly bit: Word | null;
}

const STRANGE_BIT = { ERR_MSG: 'the name of a bit', UNKNOWN: 'unknown-word' } as const;

/** `cr3`, `cr0.wp` */
export const register: Rule<[], RegisterPart> = ($) => {
  const alternatives = t.REGISTER_TYPES.map(({ register: text, bit }, index) => {
    const type = t.word(text);
    const part = (): Word | null => {
      $.consume(index, t.Dot);
      return $.wordOrNull($.CONSUME(bit!, STRANGE_BIT), 'bit');
    };
    return {
      ALT: (): RegisterPart => {
        const found = $.wordOf($.CONSUME(type), 'register');
        return { register: found, bit: bit ? ($.option(index, part) ?? null) : strangeBit($, found.text) };
      },
    };
  });
  const choice = {
    DEF: alternatives,
    ELSE: (): RegisterPart => {
      const found = $.wordOf($.strange(t.Register), 'register');
      return { register: found, bit: strangeBit($, null) };
    },
  };
  return () => $.OR(choice);
};

/** A bit of a register that has none, or of none that is known. */
function strangeBit($: Grammar, of: string | null): Word | null {
  if (!$.is(t.Dot)) return null;
  $.take();
  const token = $.broken() || !($.is(t.Word) || $.is(t.word('user'))) ? null : $.take();
  if (!token) $.expected('the name of a bit');
  const bit = token && $.wordOf(token, 'bit');
  if (bit && of !== null) $.unknown('unknown-word', `bit of ${of}`, bit, []);
  return bit;
}

/* ---------------------------------------------------------------- flags */

/** Words that begin another item of tables, or a statement, on the same line. */
const BEGINNINGS = /^(?:entry|upper|table|share|word|same|check)$/;
/** What goes on with an expression, not a flag. */
const GOES_ON = /^(?:[-+*/%&|([.=:]|<<|>>|\.\.|->)$/;

function goesOn($: Grammar): boolean {
  return !$.onNewLine(2) && GOES_ON.test($.next(2).image);
}

/**
 * Whether what is next is a flag, if it is one of their words: a name that goes on as an expression begins the next mapping;
 * `user` before an access begins the next statement.
 */
function isFlag($: Grammar, place: FlagPlace): boolean {
  if ($.is(NOT)) return true;
  if ($.is(USER) || $.is(SUPERVISOR)) return place === 'mapping' || (!$.onNewLine() && ($.onNewLine(2) || !$.is(t.AccessKind, 2)));
  return !goesOn($);
}

/** A word on this line that nothing but a flag can be, and is none. */
function isStrangeFlag($: Grammar): boolean {
  return $.is(t.Word) && !$.onNewLine() && !goesOn($) && !BEGINNINGS.test($.next().image);
}

const NOT = t.word('not');
const USER = t.word('user');
const SUPERVISOR = t.word('supervisor');

/** `rw`, `not dirty`, `pages 2M`. With `what`, one must be there: a report where none is. */
function flagRule(place: FlagPlace): Rule<[string?], Flag | null> {
  const { alone, sized, numbered } = t.FLAG_TYPES[place];
  const all = [alone, sized, numbered].filter((type) => type !== null);
  const named = (text: string): SubruleMethodOpts<[Value]> => {
    const { takes } = FLAGS[place][text] ?? {};
    return value(`${takes ?? 'a value'} after ${text}`, text === 'key' || text === 'memtype' ? text : 'size', { owner: text });
  };
  const values = new Map(Object.keys(FLAGS[place]).map((text) => [text, named(text)]));
  /** `otherwise`: of all flags that take the same. */
  const after = (name: Word, otherwise: ValueOf): SubruleMethodOpts<[Value]> => values.get(name.text) ?? value('a value', otherwise);
  return ($) => {
    type Named = Pick<Flag, 'name' | 'value'>;
    const no = (): boolean => $.isThere($.CONSUME(NOT));
    const word = (token: Token): Word => $.wordOf(token, 'flag');
    let not = false;
    const GATE = (): boolean => !not || !$.broken();
    const alternatives = [{ GATE, ALT: (): Named => ({ name: word($.CONSUME(alone)), value: null }) }];
    const taking = (type: TokenType, expression: (name: Word) => Expression): void => {
      alternatives.push({
        GATE,
        ALT: () => {
          const name = word($.CONSUME(type));
          return { name, value: expression(name) as never };
        },
      });
    };
    if (sized) taking(sized, (name) => $.SUBRULE($.expression, after(name, 'size')));
    if (numbered) taking(numbered, (name) => $.SUBRULE2($.expression, after(name, 'number')));
    const choice = {
      DEF: alternatives as { GATE: () => boolean; ALT: () => Named }[],
      ELSE: (): Named => {
        if (($.is(t.Word) || $.is(USER) || $.is(SUPERVISOR)) && !$.broken())
          return { name: word($.strange(alone, 'unknown-flag', Object.keys(FLAGS[place]))), value: null };
        $.expected('a flag');
        return { name: { kind: 'word', as: 'flag', text: '', range: $.behind() }, value: null };
      },
    };
    const begins = (): boolean => $.may(NOT, 1) || all.some((type) => $.may(type, 1));
    return (what) => {
      if (what !== undefined && !(begins() && isFlag($, place)) && !isStrangeFlag($)) {
        $.expected(what);
        return null;
      }
      const start = $.here();
      const negated = (not = $.OPTION(no) ?? false);
      const { name, value: of } = $.OR(choice);
      return { kind: 'flag', not: negated, name, value: of, range: $.since(start) };
    };
  };
}

/** Any number of flags, behind those that are there. */
function flagsRule(place: FlagPlace): Rule<[Flag[]?], Flag[]> {
  return ($) => {
    const rule = $[`${place}Flag`];
    let flags: Flag[] = [];
    const many = { GATE: () => isFlag($, place), DEF: () => void flags.push($.SUBRULE(rule)!) };
    return (before = []) => {
      $.already = flags = before;
      $.MANY(many);
      while (isStrangeFlag($)) {
        flags.push($.SUBRULE(rule)!);
        $.MANY(many);
      }
      return before;
    };
  };
}

export const mappingFlag = flagRule('mapping');
export const entryFlag = flagRule('entry');
export const slotFlag = flagRule('slot');
export const protectFlag = flagRule('protect');
export const mappingFlags = flagsRule('mapping');
export const entryFlags = flagsRule('entry');
export const slotFlags = flagsRule('slot');
export const protectFlags = flagsRule('protect');

/** At least one flag; `what` is missing if there is none. */
export function someFlags($: Grammar, place: FlagPlace, what: { ARGS: [string] }): Flag[] {
  const flags: Flag[] = [];
  $.already = flags;
  const first = $.SUBRULE($[`${place}Flag`], what);
  if (first) flags.push(first);
  return $.SUBRULE($[`${place}Flags`], { ARGS: [flags] });
}

/* ---------------------------------------------------------------- expectations */

const EXPECT = t.word('expect');

/** The `expect`s that follow an act: a part of its rule. */
export function expects($: Grammar): Expect[] {
  const found: Expect[] = [];
  if ($.RECORDING_PHASE || $.may(EXPECT, 1)) $.many(1, () => void found.push($.SUBRULE3($.expect)));
  return found;
}
