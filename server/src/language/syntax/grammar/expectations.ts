/** Expectations: what stands after `expect`. */
import type { IToken } from 'chevrotain';
import * as t from '../tokens';
import type {
  Comparison, ErrorNode, EventField, EventPattern, Expect, Expectation, ExpectAddress, ExpectCount, ExpectDirty, ExpectEntry, ExpectError,
  ExpectEvents, ExpectExit, ExpectFault, ExpectMmio, ExpectOk, ExpectPage, ExpectRegister, ExpectValue, ExpectWord, Expression, RangeExpression,
  Reference, Under, Word,
} from '../tree'; // prettier-ignore
import { EXPECTATIONS } from '../words/structure';
import { isEntry, someFlags, underOpensBody } from './parts';
import { value, VALUE, type Grammar, type Rule } from './rule';

const EXPECT = t.word('expect');
const WHAT = 'what must hold, as ok, #PF, exits or value';

/** `expect ok, exits 1 under ept, npt` */
export const expect: Rule<[], Expect> = ($) => {
  const kinds = { GATE: () => !underOpensBody($), DEF: (): Under => $.SUBRULE($.under) };
  return () => {
    const start = $.CONSUME(t.word('expect')).startOffset;
    const of = $.LIST($.expectation);
    const under = $.OPTION(kinds) ?? null;
    return { kind: 'expect', of, under, range: $.since(start) };
  };
};

/** The `expect`s that follow an act: a part of its rule. */
export function expects($: Grammar): Expect[] {
  const found: Expect[] = [];
  if ($.RECORDING_PHASE || $.may(EXPECT, 1)) $.many(1, () => void found.push($.SUBRULE3($.expect)));
  return found;
}

export const expectation: Rule<[], Expectation | null> = ($) => {
  const choice = {
    DEF: [
      { ALT: (): Expectation | null => $.SUBRULE($.expectFault) },
      { GATE: () => isEntry($), ALT: (): Expectation | null => $.SUBRULE($.expectEntry) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectOk) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectMmio) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectError) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectExit) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectValue) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectAddress) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectCount) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectPage) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectDirty) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectEvents) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectWord) },
      { ALT: (): Expectation | null => $.SUBRULE($.expectRegister) },
    ],
    ELSE: (): Expectation | null => {
      if ($.is(t.Fault)) return $.SUBRULE($.expectFault);
      if (!$.is(t.Word)) return none($);
      // An entry that is not whole yet.
      return $.is(t.Dot, 2) || $.is(t.BuiltIn) ? $.SUBRULE($.expectEntry) : strange($);
    },
  };
  return () => ($.broken() ? none($) : $.OR(choice));
};

function none($: Grammar): null {
  $.expected(WHAT);
  return null;
}

/** A word that cannot be expected is taken with what follows it, up to the next comma. */
function strange($: Grammar): ErrorNode {
  const token = $.take();
  const range = t.rangeOf(token);
  $.unknown('unknown-word', 'expectation', { text: token.image, range }, Object.keys(EXPECTATIONS));
  $.skipLine(({ tokenType }) => tokenType === t.Comma || tokenType === t.word('under') || tokenType === t.word('expect'));
  return { kind: 'error', range: $.since(range.start) };
}

/* ---------------------------------------------------------------- results */

export const expectOk: Rule<[], ExpectOk> = ($) => () => ({ kind: 'expect-ok', range: t.rangeOf($.CONSUME(t.word('ok'))) });

const CODE = value('an error code', 'error-code');
const NO_FLAGS = { flags: [], code: null };

/** `#PF`, `#PF(P W U)`, `#PF(0x7)`, `#GP` */
export const expectFault: Rule<[], ExpectFault | ErrorNode> = ($) => {
  type Code = Pick<ExpectFault, 'flags' | 'code'>;
  /** Flags of the error code are words in capitals; all else is an expression. */
  const flags = (): Code => ({ flags: $.SUBRULE($.faultFlags), code: null });
  const number = (): Code => ({ flags: null, code: $.SUBRULE($.expression, CODE) });
  const either = [{ ALT: flags }, { GATE: () => !isFaultFlag($), ALT: number }];
  const choice = { DEF: either, ELSE: (): Code => (isFaultFlag($) || $.is(t.Comma) ? flags() : number()) };
  const within = (): Code => $.OR(choice);
  const code = (): Code => {
    $.CONSUME(t.LParen);
    const found = $.OPTION2(within) ?? ($.is(t.RParen) || $.atEnd() ? NO_FLAGS : $.otherwise(within, NO_FLAGS));
    $.CONSUME(t.RParen);
    return found;
  };
  return () => {
    const start = $.here();
    const strangeFault = !$.RECORDING_PHASE && !$.may(t.FaultName, 1);
    const token = strangeFault ? $.strange(t.FaultName) : $.CONSUME(t.FaultName);
    const given = $.OPTION1(code) ?? null;
    const range = $.since(start);
    if (strangeFault) return { kind: 'error', range };
    return {
      kind: 'expect-fault',
      fault: token.image as ExpectFault['fault'],
      flags: given && given.flags,
      code: given && given.code,
      range,
    };
  };
};

function isFaultFlag($: Grammar): boolean {
  return $.is(t.Word) && /^[A-Z][A-Z0-9_]*$/.test($.next().image);
}

/** `P W U` */
export const faultFlags: Rule<[], Word[]> = ($) => {
  let flags: Word[] = [];
  const flag = (): void => void flags.push($.wordOf($.CONSUME2(t.FaultFlag), 'fault-flag'));
  const isMore = (): boolean => ($.is(t.Word) && !$.is(t.FaultFlag)) || $.is(t.Comma);
  return () => {
    flags = [];
    $.already = flags;
    if ($.RECORDING_PHASE || $.may(t.FaultFlag, 1)) flags.push($.wordOf($.CONSUME1(t.FaultFlag), 'fault-flag'));
    $.MANY(flag);
    while (isMore()) {
      if ($.is(t.Comma)) separatedBySpaces($, $.take());
      else flags.push($.wordOf($.strange(t.FaultFlag), 'fault-flag'));
      $.MANY(flag);
    }
    return flags;
  };
};

function separatedBySpaces($: Grammar, comma: IToken): void {
  const range = t.rangeOf(comma);
  $.report('unexpected', 'flags are separated by spaces, as `#PF(P W U)`', range, { fix: { title: 'Remove ,', range, text: '' } });
}

/** `mmio`, `mmio read` */
export const expectMmio: Rule<[], ExpectMmio> = ($) => {
  const kind = { GATE: () => !$.onNewLine(), DEF: () => $.CONSUME(t.MmioKind).image as 'read' | 'write' };
  return () => {
    const start = $.CONSUME(t.word('mmio')).startOffset;
    const access = $.OPTION(kind) ?? null;
    return { kind: 'expect-mmio', access, range: $.since(start) };
  };
};

const ERRNO = { ERR_MSG: 'an errno, as EEXIST', UNKNOWN: 'unknown-word' } as const;

/** `error EEXIST` */
export const expectError: Rule<[], ExpectError> = ($) => () => {
  const start = $.CONSUME(t.word('error')).startOffset;
  const errno = $.wordOrNull($.CONSUME(t.Errno, ERRNO), 'errno');
  return { kind: 'expect-error', errno, range: $.since(start) };
};

const REASON = { ERR_MSG: 'an exit reason, as EPT_VIOLATION' };

/** Exit reasons may be words of the language, as SVM's `invlpg`, or `#PF`. */
export const reason: Rule<[], Word | null> = ($) => () => {
  const isStrange = !$.is(t.Reason) && ($.is(t.AnyWord) || $.is(t.Fault)) && !$.broken();
  return isStrange ? $.wordOf($.strange(t.Reason), 'reason') : $.wordOrNull($.CONSUME(t.Reason, REASON), 'reason');
};

/** `exit`, `exit EPT_VIOLATION` */
export const expectExit: Rule<[], ExpectExit> = ($) => {
  const why = { GATE: () => !$.onNewLine(), DEF: (): Word | null => $.SUBRULE($.reason) };
  return () => {
    const start = $.CONSUME(t.word('exit')).startOffset;
    const isStrange = !$.onNewLine() && !$.is(t.Reason) && ($.is(t.Word) || $.is(t.Fault));
    const of = $.OPTION(why) ?? (isStrange ? $.SUBRULE2($.reason) : null);
    return { kind: 'expect-exit', reason: of, range: $.since(start) };
  };
};

/** `value 5` */
export const expectValue: Rule<[], ExpectValue> = ($) => () => {
  const start = $.CONSUME(t.word('value')).startOffset;
  const of = $.SUBRULE($.expression, VALUE);
  return { kind: 'expect-value', value: of, range: $.since(start) };
};

const REACHED = { gpa: value('an address', 'gpa'), hva: value('an address', 'hva'), hpa: value('an address', 'address') };
const NO_SPACE = REACHED.gpa;

/** `gpa 0x5000`, `hpa of gpa 0x5000` */
export const expectAddress: Rule<[], ExpectAddress> = ($) => {
  const ofGpa = (): boolean => {
    $.CONSUME(t.word('of'));
    $.CONSUME(t.word('gpa'));
    return true;
  };
  return () => {
    const start = $.here();
    const space = $.CONSUME(t.Space).image as ExpectAddress['space'];
    const of = $.OPTION(ofGpa) ?? false;
    const address = $.SUBRULE($.expression, of ? REACHED.gpa : (REACHED[space] ?? NO_SPACE));
    return { kind: 'expect-address', space, ofGpa: of, address, range: $.since(start) };
  };
};

const COUNT = { exits: value('a number', 'exits'), references: value('a number', 'references') };
const FROM = { ERR_MSG: 'a VM', REFERS: 'vm' } as const;

/** `exits 1`, `exits <= 3 of EPT_VIOLATION from l2`, `references 24` */
export const expectCount: Rule<[], ExpectCount> = ($) => {
  const comparison = (): Comparison => $.CONSUME(t.Comparison).image as Comparison;
  const why = (): Word | null => {
    $.CONSUME(t.word('of'));
    return $.SUBRULE($.reason);
  };
  let what: ExpectCount['what'] = 'exits';
  const who = {
    GATE: () => what === 'exits',
    DEF: (): Reference | null => {
      $.CONSUME(t.word('from'));
      return $.referenceOrNull($.CONSUME(t.Word, FROM), 'vm');
    },
  };
  return () => {
    const start = $.here();
    const counted = $.CONSUME(t.Counted).image as ExpectCount['what'];
    const compare = $.OPTION1(comparison) ?? '==';
    const count = $.SUBRULE($.expression, COUNT[counted] ?? COUNT.exits);
    const of = $.OPTION2(why) ?? null;
    what = counted;
    const from = $.OPTION3(who) ?? null;
    return { kind: 'expect-count', what: counted, compare, count, reason: of, from, range: $.since(start) };
  };
};

/* ---------------------------------------------------------------- state */

const STATED: { ARGS: [string] } = { ARGS: ["'=', present, absent or flags as rw"] };

/** `kernel[a] = 0x5067`, `shadow[a].writable = no`, `tdp[a] absent`, `kernel[a] rw user` */
export const expectEntry: Rule<[], ExpectEntry> = ($) => {
  type Stated = Pick<ExpectEntry, 'bit' | 'value' | 'flags'>;
  const choice = {
    DEF: [
      {
        ALT: (): Stated => {
          const bit = $.SUBRULE($.entryBit);
          const there = $.isThere($.CONSUME1(t.Assign));
          return { bit, value: there ? $.SUBRULE1($.expression, VALUE) : null, flags: [] };
        },
      },
      {
        ALT: (): Stated => {
          $.CONSUME2(t.Assign);
          return { bit: null, value: $.SUBRULE2($.expression, VALUE), flags: [] };
        },
      },
      { ALT: (): Stated => ({ bit: null, value: null, flags: someFlags($, 'entry', STATED) }) },
    ],
    ELSE: (): Stated => ({ bit: null, value: null, flags: someFlags($, 'entry', STATED) }),
  };
  return () => {
    const start = $.here();
    const entry = $.SUBRULE($.entry);
    return { kind: 'expect-entry', entry, ...$.OR(choice), range: $.since(start) };
  };
};

const GPA = value('a guest-physical address', 'gpa');
const STATE = { ERR_MSG: 'a state, as write_protected', UNKNOWN: 'unknown-word' } as const;

/** `page 0x4000 not unsync` */
export const expectPage: Rule<[], ExpectPage> = ($) => {
  const no = (): boolean => $.isThere($.CONSUME(t.word('not')));
  return () => {
    const start = $.CONSUME(t.word('page')).startOffset;
    const gpa = $.SUBRULE($.expression, GPA);
    const not = $.OPTION(no) ?? false;
    const state = $.wordOrNull($.CONSUME(t.PageState, STATE), 'state');
    return { kind: 'expect-page', gpa, not, state, range: $.since(start) };
  };
};

const SLOT_ID = value('the id of a slot', 'slot');
const DIRTY = value('an address', 'gpa');

/** `dirty slot 0 [0x5000, 0x6000 +8K]` */
export const expectDirty: Rule<[], ExpectDirty> = ($) => {
  const pages = (): RangeExpression[] => $.LIST($.range, DIRTY);
  return () => {
    const start = $.CONSUME(t.word('dirty')).startOffset;
    $.CONSUME(t.word('slot'));
    const slot = $.SUBRULE($.expression, SLOT_ID);
    let gpas: RangeExpression[] = [];
    if ($.isThere($.CONSUME(t.LSquare))) {
      gpas = $.OPTION(pages) ?? ($.is(t.RSquare) ? [] : $.otherwise(pages, []));
      $.CONSUME(t.RSquare);
    }
    return { kind: 'expect-dirty', slot, gpas, range: $.since(start) };
  };
};

/** `word 0x5000 = 7` */
export const expectWord: Rule<[], ExpectWord> = ($) => () => {
  const start = $.CONSUME(t.word('word')).startOffset;
  const gpa = $.SUBRULE1($.expression, GPA);
  $.CONSUME(t.Assign);
  const of = $.SUBRULE2($.expression, VALUE);
  return { kind: 'expect-word', gpa, value: of, range: $.since(start) };
};

/** `cr2 = 0x40_0000` */
export const expectRegister: Rule<[], ExpectRegister> = ($) => () => {
  const start = $.here();
  const part = $.SUBRULE($.register);
  $.CONSUME(t.Assign);
  const of = $.SUBRULE($.expression, VALUE);
  return { kind: 'expect-register', register: part.register, bit: part.bit, value: of, range: $.since(start) };
};

/* ---------------------------------------------------------------- events */

/** `events kvm_exit(EPT_VIOLATION), kvm_page_fault` */
export const expectEvents: Rule<[], ExpectEvents> = ($) => () => {
  const start = $.CONSUME(t.word('events')).startOffset;
  const events = $.LIST($.event);
  return { kind: 'expect-events', events, range: $.since(start) };
};

const EVENT = { ERR_MSG: 'an event, as kvm_exit', UNKNOWN: 'unknown-word' } as const;

/** `kvm_exit(EPT_VIOLATION)` */
export const event: Rule<[], EventPattern | null> = ($) => {
  const fields = (): EventField[] => $.LIST($.eventField);
  const list = (): EventField[] => {
    $.CONSUME(t.LParen);
    const found = $.OPTION1(fields) ?? ($.is(t.RParen) ? [] : $.otherwise(fields, []));
    $.CONSUME(t.RParen);
    return found;
  };
  return () => {
    const start = $.here();
    const name = $.wordOrNull($.CONSUME(t.Event, EVENT), 'event');
    if (!name) return null;
    $.inEvent = name.text;
    const of = $.OPTION2(list) ?? [];
    return { kind: 'event', name, fields: of, range: $.since(start) };
  };
};

const FIELD = value('a value of the event', 'event-field');

/** `gfn 5`, `EPT_VIOLATION`, `3` */
export const eventField: Rule<[], EventField> = ($) => {
  const name = { GATE: () => isFieldName($), DEF: (): Word => $.wordOf($.CONSUME(t.AnyWord), 'field') };
  const content = {
    DEF: [
      {
        /** A name that an event's number stands for. */
        GATE: () => $.may(t.Comma, 2) || $.may(t.RParen, 2),
        ALT: (): Word | Expression => $.wordOf($.CONSUME(t.Reason), 'reason'),
      },
      { ALT: (): Word | Expression => $.SUBRULE($.expression, FIELD) },
    ],
    ELSE: (): Word | Expression => $.SUBRULE($.expression, FIELD),
  };
  return () => {
    const start = $.here();
    const field = $.OPTION(name) ?? null;
    const of = $.OR(content);
    return {
      kind: 'event-field',
      name: field,
      value: of,
      range: $.RECORDING_PHASE ? $.since(0) : $.since(Math.min(start, of.range.start)),
    };
  };
};

/** A word with a value behind it, as `gfn 5`. */
function isFieldName($: Grammar): boolean {
  return $.may(t.Word, 2) || $.may(t.Num, 2) || $.may(t.LParen, 2) || $.may(t.Not, 2) || $.may(t.Reason, 2);
}
