/** Declarations of the machine: host, budget, VMs, slots, vCPUs, tables. */
import type { TokenType } from 'chevrotain';
import * as t from '../tokens';
import type {
  Body, Budget, Definition, ErrorNode, Expression, For, Handler, Host, Load, Mapping, MemoryWord, Placement, RangeExpression, RawEntry, Setting, Share, Slot,
  Tables, TablesItem, Upper, Vcpu, Vm, VmItem, Word,
} from '../tree'; // prettier-ignore
import { OUTER } from './lists';
import { someFlags } from './parts';
import { value, VALUE, type Grammar, type Rule } from './rule';

const among = (...more: string[]): ReadonlySet<TokenType> => new Set([...OUTER, ...more.map(t.word)]);
const AFTER_VM = among('host', 'expect', 'read', 'write', 'user', 'supervisor');
const AFTER_TABLES = among('host', 'vm', 'slot', 'vcpu', 'tables', 'expect', 'read', 'write');
const AFTER_VCPU = among('vm', 'slot', 'vcpu', 'tables', 'const', 'for', 'expect', 'read', 'write');
const LEVEL = t.word('level');
const AT = t.word('at');

export const host: Rule<[], Host> = ($) => () => {
  const start = $.CONSUME(t.word('host')).startOffset;
  const body = $.SUBRULE($.hostSettings, { ARGS: ['host'] });
  return { kind: 'host', body, range: $.since(start) };
};

export const budget: Rule<[], Budget> = ($) => () => {
  const start = $.CONSUME(t.word('budget')).startOffset;
  const body = $.SUBRULE($.budgetSettings, { ARGS: ['budget'] });
  return { kind: 'budget', body, range: $.since(start) };
};

const SLOT_ID = value('the id of the slot', 'slot');

/** `slot 0 { gpa 0  size 16M }` */
export const slot: Rule<[], Slot> = ($) => () => {
  const start = $.CONSUME(t.word('slot')).startOffset;
  const id = $.SUBRULE($.expression, SLOT_ID);
  const body = $.SUBRULE($.slotSettings, { ARGS: [`slot ${textOf($, id)}`] });
  return { kind: 'slot', id, body, range: $.since(start) };
};

/** An expression as it stands, for messages. */
function textOf($: Grammar, { range }: Expression): string {
  return $.RECORDING_PHASE ? '' : $.text.slice(range.start, Math.min(range.end, range.start + 30));
}

/* ---------------------------------------------------------------- virtual machines */

const VM_NAME = { ERR_MSG: 'the name of the vm', DEFINES: 'vm' } as const;

/** `vm guest { … }` */
export const vm: Rule<[], Vm> = ($) => () => {
  const start = $.CONSUME(t.word('vm')).startOffset;
  const name = $.definitionOrNull($.CONSUME(t.Word, VM_NAME), 'vm');
  const body = $.SUBRULE($.vmBody, { ARGS: [name ? `vm ${name.text}` : 'vm'] });
  return { kind: 'vm', name, body, range: $.since(start) };
};

export const vmBody: Rule<[string], Body<VmItem> | null> = ($) => (what) => $.BRACES('vm', what, $.vmItem, AFTER_VM);

export const vmItem: Rule<[], VmItem | null> = ($) => {
  const choice = {
    DEF: [
      { ALT: (): VmItem | null => $.SUBRULE($.slot) },
      { ALT: (): VmItem | null => $.SUBRULE($.vcpu) },
      { ALT: (): VmItem | null => $.SUBRULE($.tables) },
      { ALT: (): VmItem | null => $.SUBRULE($.vm) },
      { ALT: (): VmItem | null => $.SUBRULE($.constant) },
      { ALT: (): VmItem | null => $.SUBRULE($.vmLoop) },
      { ALT: (): VmItem | null => $.SUBRULE($.memoryWord) },
      { ALT: (): VmItem | null => $.SUBRULE($.load) },
      { ALT: (): VmItem | null => $.SUBRULE($.vmSetting) },
    ],
    ELSE: (): VmItem | null => {
      if ($.is(t.Word)) return $.SUBRULE($.vmSetting);
      $.expected('slot, vcpu, tables, word, vm, or a setting as mmu');
      return null;
    },
  };
  return () => $.OR(choice);
};

const VCPU_NAME = { DEFINES: 'vcpu' } as const;

/** `vcpu { cr3 kernel }`, `vcpu 1 { … }`, `vcpu boot { … }` */
export const vcpu: Rule<[], Vcpu> = ($) => {
  const named = { GATE: () => !$.broken(), DEF: (): Definition | null => $.definitionOrNull($.CONSUME(t.VcpuName, VCPU_NAME), 'vcpu') };
  return () => {
    const start = $.CONSUME(t.word('vcpu')).startOffset;
    const name = $.OPTION(named) ?? null;
    const body = $.SUBRULE($.vcpuBody, { ARGS: [name ? `vcpu ${name.text}` : 'vcpu'] });
    return { kind: 'vcpu', name, body, range: $.since(start) };
  };
};

export const vcpuBody: Rule<[string], Body<Setting | Handler | ErrorNode> | null> = ($) => (what) =>
  $.BRACES('vcpu', what, $.vcpuItem, AFTER_VCPU);

export const vcpuItem: Rule<[], Setting | Handler | null> = ($) => {
  const choice = {
    DEF: [
      { ALT: (): Setting | Handler | null => $.SUBRULE($.handler) }, //
      { ALT: (): Setting | Handler | null => $.SUBRULE($.vcpuSetting) },
    ],
    ELSE: (): Setting | null => $.SUBRULE($.vcpuSetting),
  };
  return () => $.OR(choice);
};

/** `on fault { … }` */
export const handler: Rule<[], Handler> = ($) => () => {
  const start = $.CONSUME(t.word('on')).startOffset;
  $.CONSUME(t.word('fault'));
  const body = $.SUBRULE($.scriptBody, { ARGS: ['on fault'] });
  return { kind: 'handler', body, range: $.since(start) };
};

const GPA = value('a guest-physical address', 'gpa');
const BYTES = value('a size', 'access-size');

/** `word 0x4000 = 0x4003` */
export const memoryWord: Rule<[], MemoryWord> = ($) => {
  const sized = {
    GATE: () => $.clause(),
    DEF: (): Expression => {
      $.CONSUME(t.word('size'));
      return $.SUBRULE3($.expression, BYTES);
    },
  };
  return () => {
    const start = $.CONSUME(t.word('word')).startOffset;
    const gpa = $.SUBRULE($.expression, GPA);
    $.CONSUME(t.Assign);
    const stored = $.SUBRULE2($.expression, VALUE);
    const size = $.OPTION(sized) ?? null;
    return { kind: 'memory-word', gpa, value: stored, size, expects: [], range: $.since(start) };
  };
};

const LOADED = { ERR_MSG: 'the path of a file in quotes', PATH: 'load' } as const;

/** `load "guest.dump" at 0x10_0000` */
export const load: Rule<[], Load> = ($) => () => {
  const start = $.CONSUME(t.word('load')).startOffset;
  const path = $.textOrNull($.CONSUME(t.Str, LOADED));
  $.CONSUME(AT);
  const at = $.SUBRULE($.expression, GPA);
  return { kind: 'load', path, at, range: $.since(start) };
};

/* ---------------------------------------------------------------- tables */

const TABLES_NAME = { ERR_MSG: 'the name of the tables', DEFINES: 'tables' } as const;
const ROOT = value('the address of the root', 'gpa');

/** `tables kernel at 0x1000 { … }`, `tables ept12 ept { … }` */
export const tables: Rule<[], Tables> = ($) => {
  const formatted = { GATE: () => !$.broken(), DEF: (): Word => $.wordOf($.CONSUME(t.Format), 'format') };
  const placed = (): RangeExpression => {
    $.CONSUME(AT);
    return $.SUBRULE($.range, ROOT);
  };
  const isStrange = (): boolean => ($.is(t.Word) || $.is(t.Mode)) && !$.is(AT) && !$.broken();
  return () => {
    const start = $.CONSUME(t.word('tables')).startOffset;
    const name = $.definitionOrNull($.CONSUME(t.Word, TABLES_NAME), 'tables');
    let format = $.OPTION1(formatted) ?? null;
    if (!format && isStrange()) format = $.wordOf($.strange(t.Format), 'format');
    const at = $.OPTION2(placed) ?? null;
    const body = $.SUBRULE($.tablesBody, { ARGS: [name ? `tables ${name.text}` : 'tables'] });
    return { kind: 'tables', name, format, at, body, range: $.since(start) };
  };
};

export const tablesBody: Rule<[string], Body<TablesItem> | null> = ($) => (what) => $.BRACES('tables', what, $.tablesItem, AFTER_TABLES);

export const tablesItem: Rule<[], TablesItem> = ($) => {
  /** A word that begins an item of tables, not a constant of that name that begins a mapping. */
  const GATE = (): boolean => $.may(t.Num, 2) || $.may(t.Word, 2) || $.may(t.LParen, 2) || $.onNewLine(2);
  const choice = {
    DEF: [
      { ALT: (): TablesItem => $.SUBRULE($.constant) },
      { ALT: (): TablesItem => $.SUBRULE($.tablesLoop) },
      { GATE, ALT: (): TablesItem => $.SUBRULE($.rawEntry) },
      { GATE, ALT: (): TablesItem => $.SUBRULE($.upper) },
      { GATE, ALT: (): TablesItem => $.SUBRULE($.placement) },
      { GATE, ALT: (): TablesItem => $.SUBRULE($.share) },
      { ALT: (): TablesItem => $.SUBRULE($.mapping) },
    ],
    ELSE: (): TablesItem => $.SUBRULE($.mapping),
  };
  return () => $.OR(choice);
};

const MAPPED = value('a mapping, as `0x40_0000 +2M -> 0x20_0000 rw user`', 'linear');
const TARGET = value('the address that it maps to', 'gpa');

/** `0x40_0000 +2M -> 0x20_0000  rw user` */
export const mapping: Rule<[], Mapping> = ($) => () => {
  const from = $.SUBRULE($.span, MAPPED);
  $.CONSUME(t.Arrow);
  const to = $.SUBRULE($.expression, TARGET);
  const flags = $.SUBRULE($.mappingFlags, { ARGS: [[]] });
  return { kind: 'mapping', from, to, flags, range: $.sinceStart(from) };
};

const OF_LEVEL = value('a level, 1 to 5', 'level');

/** `level 2`; null where it is missing. */
export const level: Rule<[], Expression | null> = ($) => () => {
  const there = $.isThere($.CONSUME(LEVEL));
  return there ? $.SUBRULE($.expression, OF_LEVEL) : null;
};

const ADDRESS = value('an address', 'linear');
const RAW = value('the value of the entry', 'entry');

/** `entry 0x40_0000 level 2 = 0x4007` */
export const rawEntry: Rule<[], RawEntry> = ($) => () => {
  const start = $.CONSUME(t.word('entry')).startOffset;
  const address = $.SUBRULE($.expression, ADDRESS);
  const at = $.SUBRULE($.level);
  $.CONSUME(t.Assign);
  const raw = $.SUBRULE2($.expression, RAW);
  return { kind: 'raw-entry', address, level: at, value: raw, range: $.since(start) };
};

const RIGHTS: { ARGS: [string] } = { ARGS: ['rights, as ro or user'] };

/** `upper 0x40_0000 +1G level 3 ro user` */
export const upper: Rule<[], Upper> = ($) => () => {
  const start = $.CONSUME(t.word('upper')).startOffset;
  const address = $.SUBRULE($.range, ADDRESS);
  const at = $.SUBRULE($.level);
  const flags = someFlags($, 'mapping', RIGHTS);
  return { kind: 'upper', address, level: at, flags, range: $.since(start) };
};

const PLACE = value('the address of the table', 'gpa');

/** `table 0x40_0000 level 1 at 0x4000` */
export const placement: Rule<[], Placement> = ($) => () => {
  const start = $.CONSUME(t.word('table')).startOffset;
  const address = $.SUBRULE($.expression, ADDRESS);
  const of = $.SUBRULE($.level);
  $.CONSUME(AT);
  const at = $.SUBRULE2($.expression, PLACE);
  return { kind: 'placement', address, level: of, at, range: $.since(start) };
};

const SHARED = { ERR_MSG: 'the name of tables', REFERS: 'table' } as const;

/** `share kernel 0xffff_8000_0000_0000 +512G level 4` */
export const share: Rule<[], Share> = ($) => {
  const at = { GATE: () => $.clause(), DEF: (): Expression | null => $.SUBRULE($.level) };
  return () => {
    const start = $.CONSUME(t.word('share')).startOffset;
    const from = $.referenceOrNull($.CONSUME(t.Word, SHARED), 'table');
    const address = $.SUBRULE($.range, ADDRESS);
    return { kind: 'share', tables: from, address, level: $.OPTION(at) ?? null, range: $.since(start) };
  };
};

/* ---------------------------------------------------------------- loops */

const LOOP_NAME = { ERR_MSG: 'a name', DEFINES: 'loop' } as const;
const OVER = value('a range, as `0 .. 15`', 'loop');
const STEP = value('a step', 'step');

/** `for i in 0 .. 15 step 2 { … }`; where it stands decides what its body holds. */
function loopRule(where: 'script' | 'vm' | 'tables'): Rule<[], For> {
  return ($) => {
    const step = (): Expression => {
      $.CONSUME(t.word('step'));
      return $.SUBRULE($.expression, STEP);
    };
    return () => {
      const start = $.CONSUME(t.word('for')).startOffset;
      const name = $.definitionOrNull($.CONSUME(t.Word, LOOP_NAME), 'loop');
      $.CONSUME(t.word('in'));
      const over = $.SUBRULE($.span, OVER);
      const by = $.OPTION(step) ?? null;
      const body: For['body'] = $.SUBRULE<[string], For['body']>($[`${where}Body`], { ARGS: ['for'] });
      return { kind: 'for', name, over, step: by, body, range: $.since(start) };
    };
  };
}

export const scriptLoop = loopRule('script');
export const vmLoop = loopRule('vm');
export const tablesLoop = loopRule('tables');
