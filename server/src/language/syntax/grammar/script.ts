/** Scripts: accesses, edits, register loads, invalidations, and who performs them. */
import type { TokenType } from 'chevrotain';
import { nearest } from '../problem';
import * as t from '../tokens';
import type {
  Access, Body, Call, CheckInvariants, Edit, Enter, Expression, Handler, Invalidate, MemoryWord, Performed, Range, Reference, RegisterLoad, Replay, Same,
  Statement, Under, UnderStatement, Word,
} from '../tree'; // prettier-ignore
import { ACTS } from '../words/structure';
import { expects } from './expectations';
import { isEntry, underOpensBody } from './parts';
import { value, VALUE, type Grammar, type Rule } from './rule';

const AFTER_SCRIPT: ReadonlySet<TokenType> = new Set(['import', 'budget', 'block', 'run', 'vm'].map(t.word));
const MACHINE_ONLY: ReadonlySet<TokenType> = new Set(['vm', 'slot', 'tables', 'vcpu'].map(t.word));
const STATEMENT_WORDS = [...Object.keys(ACTS), 'host', 'under', 'word', 'const'];
const VCPU = t.word('vcpu');
const WORD = t.word('word');

export const scriptBody: Rule<[string], Body<Statement> | null> = ($) => (what) => $.BRACES('script', what, $.statement, AFTER_SCRIPT);

export const statement: Rule<[], Statement | null> = ($) => {
  /** A word of the language, not a name that is used like one. */
  const GATE = (): boolean => $.next(2).tokenType !== t.Assign && $.next(2).tokenType !== t.Dot;
  const choice = {
    DEF: [
      { GATE: () => isPerformer($), ALT: (): Statement | null => $.SUBRULE($.performed) },
      { GATE: () => isEntry($), ALT: (): Statement | null => $.SUBRULE($.edit) },
      { GATE: () => isCall($), ALT: (): Statement | null => $.SUBRULE($.call) },
      { ALT: (): Statement | null => $.SUBRULE($.registerLoad) },
      { GATE, ALT: (): Statement | null => $.SUBRULE($.store) },
      { GATE, ALT: (): Statement | null => $.SUBRULE($.same) },
      { GATE, ALT: (): Statement | null => $.SUBRULE($.checkInvariants) },
      { GATE, ALT: (): Statement | null => $.SUBRULE($.replay) },
      { ALT: (): Statement | null => $.SUBRULE($.access) },
      { ALT: (): Statement | null => $.SUBRULE($.invlpg) },
      { ALT: (): Statement | null => $.SUBRULE($.invpcid) },
      { ALT: (): Statement | null => $.SUBRULE($.invept) },
      { ALT: (): Statement | null => $.SUBRULE($.invvpid) },
      { ALT: (): Statement | null => $.SUBRULE($.enter) },
      { ALT: (): Statement | null => $.SUBRULE($.expect) },
      { ALT: (): Statement | null => $.SUBRULE($.scriptLoop) },
      { ALT: (): Statement | null => $.SUBRULE($.underStatement) },
      { ALT: (): Statement | null => $.SUBRULE($.constant) },
      { ALT: (): Statement | null => $.SUBRULE($.hostActs) },
    ],
    ELSE: (): Statement | null => strange($),
  };
  return () => $.OR(choice);
};

/** What is no statement, but may be one that is not whole, or misspelt. */
function strange($: Grammar): Statement | null {
  const { image, tokenType } = $.next();
  if ($.is(t.Word)) {
    if ($.is(t.Assign, 2) || ($.is(t.Dot, 2) && $.is(t.Assign, 4))) return $.SUBRULE($.registerLoad);
    if ($.is(t.Dot, 2)) return $.SUBRULE($.edit);
    const range = t.rangeOf($.next());
    const near = $.isFull() ? null : nearest(image, STATEMENT_WORDS);
    const hint = near ? `did you mean ${near}?` : 'a name is followed by (…), […], : or =';
    const fix = near ? { title: `Change to ${near}`, range, text: near } : undefined;
    $.fail('unknown-word', `'${image.slice(0, 40)}' is not a statement: ${hint}`, range, fix);
  } else if (MACHINE_ONLY.has(tokenType)) {
    const where = image === 'vm' ? 'in the file or in a vm' : 'in a vm';
    $.fail('unexpected', `${image} is declared ${where}, not in a script`, t.rangeOf($.next()));
  } else $.expected('a statement, as read, write or expect');
  return null;
}

/* ---------------------------------------------------------------- who */

function isPerformer($: Grammar): boolean {
  if ($.is(VCPU)) return !$.is(t.LCurly, 2) && !$.is(t.LCurly, 3);
  return $.may(t.Word, 1) && ($.may(t.Colon, 2) || ($.may(VCPU, 2) && !$.onNewLine(2)));
}

/** `l2: …`, `vcpu 1: …`, `l2 vcpu 1: { … }` */
export const performed: Rule<[], Performed> = ($) => {
  type What = Pick<Performed, 'statement' | 'body'>;
  let by = '';
  const either = {
    DEF: [
      { ALT: (): What => ({ statement: null, body: $.SUBRULE($.scriptBody, { ARGS: [by] }) }) },
      {
        GATE: () => !$.panic && !$.onNewLine(),
        ALT: (): What => ({ statement: $.SUBRULE($.statement), body: null }),
      },
    ],
    ELSE: (): What => {
      if (!$.panic && !$.atEnd() && !$.onNewLine()) return { statement: $.SUBRULE($.statement), body: null };
      if (!$.panic) $.expected("a statement or '{'");
      return { statement: null, body: null };
    },
  };
  return () => {
    const start = $.here();
    const { vm, vcpu } = $.SUBRULE($.performer);
    // Who performs is said once; more of it is read, with a report.
    while (!$.RECORDING_PHASE && !$.panic && !$.onNewLine() && isPerformer($) && !$.atEnd()) {
      const second = $.here();
      $.SUBRULE2($.performer);
      $.report('unexpected', 'one VM and vCPU perform a statement, as `l2 vcpu 1:`', $.since(second));
    }
    by = vm ? `${vm.text}:` : `vcpu ${vcpu?.text ?? ''}:`;
    return { kind: 'performed', vm, vcpu, ...$.OR(either), range: $.since(start) };
  };
};

type Who = Pick<Performed, 'vm' | 'vcpu'>;
const PERFORMING_VM = { ERR_MSG: 'the name of a vm', REFERS: 'vm' } as const;
const PERFORMING_VCPU = { ERR_MSG: 'the name or number of a vCPU', REFERS: 'vcpu' } as const;

/** `l2`, `vcpu 1`, `l2 vcpu 1`, and a colon */
export const performer: Rule<[], Who> = ($) => {
  const either = [
    {
      ALT: (): Who => ({ vm: $.referenceOf($.CONSUME(t.Word, PERFORMING_VM), 'vm'), vcpu: $.OPTION(ofVcpu) ?? null }), //
    },
    { ALT: (): Who => ({ vm: null, vcpu: $.SUBRULE($.performingVcpu) }) },
  ];
  const ofVcpu = (): Reference | null => $.SUBRULE2($.performingVcpu);
  return () => {
    const who = $.OR(either);
    $.CONSUME(t.Colon);
    return who;
  };
};

export const performingVcpu: Rule<[], Reference | null> = ($) => () => {
  $.CONSUME(VCPU);
  return $.referenceOrNull($.CONSUME(t.VcpuName, PERFORMING_VCPU), 'vcpu');
};

/* ---------------------------------------------------------------- accesses */

const LINEAR = value('a linear address', 'linear');
const KIND = { ERR_MSG: 'read, write, fetch or rmw' };

/** `user read 0x40_0123 x 16 step 4K on fault { … } expect ok` */
export const access: Rule<[], Access | null> = ($) => {
  const who = (): Access['privilege'] => $.CONSUME(t.Privilege).image as Access['privilege'];
  let kind: Access['access'] = 'read';
  /** `= value` of a write, `+= value` of an rmw. */
  const stored = {
    GATE: () => $.once(kind === 'read' || kind === 'fetch'),
    DEF: (): Expression => {
      const sign = $.CONSUME(t.Stores);
      if (!$.RECORDING_PHASE) checkSign($, kind, sign.image, t.rangeOf(sign));
      return $.SUBRULE2($.expression, VALUE);
    },
  };
  const clauses = clausesOf($);
  const handled = (): Handler => $.SUBRULE($.handler);
  return () => {
    const start = $.here();
    const privilege = $.OPTION1(who) ?? null;
    const token = $.CONSUME(t.AccessKind, KIND);
    if (!$.isThere(token)) return null;
    const access = (kind = token.image as Access['access']);
    const head = $.since(start);
    const address = $.SUBRULE1($.expression, LINEAR);
    kind = access;
    const of = $.OPTION2(stored) ?? null;
    const { size, ac, count, step } = clauses();
    const handler = $.OPTION3(handled) ?? null;
    const after = expects($);
    const range = $.since(start);
    return { kind: 'access', privilege, access, head, address, value: of, size, ac, count, step, handler, expects: after, range };
  };
};

function checkSign($: Grammar, access: Access['access'], sign: string, range: Range): void {
  const right = access === 'write' ? '=' : access === 'rmw' ? '+=' : null;
  if (sign === right || $.panic) return;
  if (right === null) $.report('unexpected', `a ${access} stores nothing; what it must find is \`expect value …\``, range);
  else {
    const fix = { title: `Change to ${right}`, range, text: right };
    $.report('unexpected', `write stores with =, rmw adds with +=`, range, { fix });
  }
}

type Clauses = Pick<Access, 'size' | 'ac' | 'count' | 'step'>;
const CLAUSES = [
  { text: 'size', field: 'size', of: 'access-size' },
  { text: 'ac', field: 'ac', of: 'switch' },
  { text: 'x', field: 'count', of: 'repetitions' },
  { text: 'step', field: 'step', of: 'step' },
] as const;

/** Clauses in any order, each once: a part of the access's rule. */
function clausesOf($: Grammar): () => Clauses {
  let found: { -readonly [field in keyof Clauses]: Clauses[field] };
  const choice = CLAUSES.map(({ text, field, of }, index) => {
    const type = t.word(text);
    const after = value(`a value after ${text}`, of);
    return {
      GATE: () => $.once(found[field] !== null),
      ALT: (): void => {
        const token = $.CONSUME(type);
        if (!$.RECORDING_PHASE && found[field] !== null && !$.panic) $.report('unexpected', `${text} stands here twice`, t.rangeOf(token));
        found[field] = $.subrule(10 + index, $.expression, after);
      },
    };
  });
  const more = { GATE: () => $.clause(), DEF: () => $.OR(choice) };
  return () => {
    found = { size: null, ac: null, count: null, step: null };
    if ($.RECORDING_PHASE || $.may(t.Clause, 1)) $.MANY(more);
    return found;
  };
}

/* ---------------------------------------------------------------- memory and registers */

/** `kernel[0x40_0000].writable = no` */
export const edit: Rule<[], Edit> = ($) => {
  const part = (): Word | null => $.SUBRULE($.entryBit);
  return () => {
    const start = $.here();
    const entry = $.SUBRULE($.entry);
    const bit = $.OPTION(part) ?? null;
    $.CONSUME(t.Assign);
    const of = $.SUBRULE($.expression, VALUE);
    const after = expects($);
    return { kind: 'edit', entry, bit, value: of, expects: after, range: $.since(start) };
  };
};

/** A store by guest-physical address: `word 0x4000 = 7` */
export const store: Rule<[], MemoryWord> = ($) => () => {
  const start = $.here();
  const word = $.SUBRULE($.memoryWord);
  const after = expects($);
  return { ...word, expects: after, range: $.since(start) };
};

/** `cr3 = user_root`, `cr0.wp = 0` */
export const registerLoad: Rule<[], RegisterLoad> = ($) => () => {
  const start = $.here();
  const part = $.SUBRULE($.register);
  $.CONSUME(t.Assign);
  const of = $.SUBRULE($.expression, VALUE);
  const after = expects($);
  return { kind: 'register-load', register: part.register, bit: part.bit, value: of, expects: after, range: $.since(start) };
};

/** `invlpg 0x1000` */
export const invlpg: Rule<[], Invalidate> = ($) => () => {
  const start = $.CONSUME(t.word('invlpg')).startOffset;
  const address = $.SUBRULE($.expression, LINEAR);
  const after = expects($);
  return { kind: 'invalidate', instruction: 'invlpg', scope: null, address, tag: null, expects: after, range: $.since(start) };
};

/** After the name of an instruction. */
type Operands = Pick<Invalidate, 'scope' | 'address' | 'tag'>;
const PCID_WHAT = value('an address, pcid, all or non_global', 'linear');
const VPID_WHAT = value('an address, vpid, all or non_global', 'linear');
const EPTP = value('an EPTP, or all', 'eptp');
const PCID = value('a PCID', 'pcid');
const VPID = value('a VPID', 'vpid');
const NO_OPERANDS: Operands = { scope: null, address: null, tag: null };

export const pcid: Rule<[], Expression | null> = ($) => () => {
  const there = $.isThere($.CONSUME(t.word('pcid')));
  return there ? $.SUBRULE($.expression, PCID) : null;
};

export const vpid: Rule<[], Expression | null> = ($) => () => {
  const there = $.isThere($.CONSUME(t.word('vpid')));
  return there ? $.SUBRULE($.expression, VPID) : null;
};

/** `invpcid a pcid p`, `invpcid pcid p`, `invpcid all`, `invpcid non_global` */
export const invpcid: Rule<[], Invalidate> = ($) => {
  const one = (): Operands => {
    const address = $.SUBRULE($.expression, PCID_WHAT);
    return { scope: null, address, tag: $.SUBRULE2($.pcid) };
  };
  const choice = {
    DEF: [
      { GATE: () => !$.onNewLine(), ALT: (): Operands => ({ ...NO_OPERANDS, scope: $.wordOf($.CONSUME(t.Scope), 'scope') }) },
      { GATE: () => $.clause(), ALT: (): Operands => ({ ...NO_OPERANDS, tag: $.SUBRULE1($.pcid) }) },
      { ALT: one },
    ],
    ELSE: one,
  };
  return () => {
    const start = $.CONSUME(t.word('invpcid')).startOffset;
    const operands = $.OR(choice);
    const after = expects($);
    return { kind: 'invalidate', instruction: 'invpcid', ...operands, expects: after, range: $.since(start) };
  };
};

/** `invept eptp`, `invept all` */
export const invept: Rule<[], Invalidate> = ($) => {
  const one = (): Operands => ({ ...NO_OPERANDS, address: $.SUBRULE($.expression, EPTP) });
  const choice = {
    DEF: [
      { GATE: () => !$.onNewLine(), ALT: (): Operands => ({ ...NO_OPERANDS, scope: $.wordOf($.CONSUME(t.word('all')), 'scope') }) },
      { ALT: one },
    ],
    ELSE: one,
  };
  return () => {
    const start = $.CONSUME(t.word('invept')).startOffset;
    const operands = $.OR(choice);
    const after = expects($);
    return { kind: 'invalidate', instruction: 'invept', ...operands, expects: after, range: $.since(start) };
  };
};

/** `invvpid a vpid v`, `invvpid vpid v`, `invvpid all`, `invvpid non_global vpid v` */
export const invvpid: Rule<[], Invalidate> = ($) => {
  const one = (): Operands => {
    const address = $.SUBRULE($.expression, VPID_WHAT);
    return { scope: null, address, tag: $.SUBRULE2($.vpid) };
  };
  const GATE = (): boolean => !$.onNewLine();
  const choice = {
    DEF: [
      { GATE, ALT: (): Operands => ({ ...NO_OPERANDS, scope: $.wordOf($.CONSUME(t.word('all')), 'scope') }) },
      {
        GATE,
        ALT: (): Operands => {
          const scope = $.wordOf($.CONSUME(t.word('non_global')), 'scope');
          return { scope, address: null, tag: $.SUBRULE3($.vpid) };
        },
      },
      { GATE: () => $.clause(), ALT: (): Operands => ({ ...NO_OPERANDS, tag: $.SUBRULE1($.vpid) }) },
      { ALT: one },
    ],
    ELSE: one,
  };
  return () => {
    const start = $.CONSUME(t.word('invvpid')).startOffset;
    const operands = $.OR(choice);
    const after = expects($);
    return { kind: 'invalidate', instruction: 'invvpid', ...operands, expects: after, range: $.since(start) };
  };
};

const ENTERED = { ERR_MSG: 'the name of a vm', REFERS: 'vm' } as const;

/** `vmlaunch l2` */
export const enter: Rule<[], Enter> = ($) => {
  const named = { GATE: () => !$.onNewLine(), DEF: (): Reference => $.referenceOf($.CONSUME(t.Word, ENTERED), 'vm') };
  return () => {
    const start = $.here();
    const instruction = $.CONSUME(t.Entering).image as Enter['instruction'];
    const vm = $.OPTION(named) ?? null;
    const after = expects($);
    return { kind: 'enter', instruction, vm, expects: after, range: $.since(start) };
  };
};

function isCall($: Grammar): boolean {
  return $.may(t.LParen, 2) && !$.onNewLine(2) && !$.is(WORD);
}

const CALLED = { ERR_MSG: 'the name of a block', REFERS: 'block' } as const;
const ARGUMENT = value('a value', 'argument');

/** `touch(0x40_0000, 16)` */
export const call: Rule<[], Call> = ($) => {
  const values = (): Expression[] => $.LIST($.expression, ARGUMENT);
  return () => {
    const start = $.here();
    const block = $.referenceOf($.CONSUME(t.Word, CALLED), 'block');
    $.CONSUME(t.LParen);
    const given = $.OPTION(values) ?? ($.is(t.RParen) ? [] : $.otherwise(values, []));
    $.CONSUME(t.RParen);
    const after = expects($);
    return { kind: 'call', block, arguments: given, expects: after, range: $.since(start) };
  };
};

/* ---------------------------------------------------------------- the rest */

/** `under soft, ept { … }` */
export const underStatement: Rule<[], UnderStatement> = ($) => () => {
  const start = $.here();
  const under = $.SUBRULE($.under);
  const body = $.SUBRULE($.scriptBody, { ARGS: ['under'] });
  return { kind: 'under-statement', under, body, range: $.since(start) };
};

/** `same`, `same under soft, ept` */
export const same: Rule<[], Same> = ($) => {
  const kinds = { GATE: () => !underOpensBody($), DEF: (): Under => $.SUBRULE($.under) };
  return () => {
    const start = $.CONSUME(t.word('same')).startOffset;
    const under = $.OPTION(kinds) ?? null;
    return { kind: 'same', under, range: $.since(start) };
  };
};

/** `check invariants` */
export const checkInvariants: Rule<[], CheckInvariants> = ($) => () => {
  const start = $.CONSUME(t.word('check')).startOffset;
  $.CONSUME(t.word('invariants'));
  return { kind: 'check-invariants', range: $.since(start) };
};

const TRACE = { ERR_MSG: 'the path of a trace in quotes', PATH: 'replay' } as const;

/** `replay "trace.txt"` */
export const replay: Rule<[], Replay> = ($) => () => {
  const start = $.CONSUME(t.word('replay')).startOffset;
  const path = $.textOrNull($.CONSUME(t.Str, TRACE));
  return { kind: 'replay', path, range: $.since(start) };
};
