/** What the VMM and the host's memory management do in a script. */
import type { TokenType } from 'chevrotain';
import * as t from '../tokens';
import type { Body, ErrorNode, Expression, HostAct, HostActs, HostArea, RangeExpression, Slot } from '../tree';
import { HOST_ACTS } from '../words/structure';
import { expects } from './expectations';
import { someFlags } from './parts';
import { value, VALUE, type Grammar, type Rule } from './rule';

const AFTER_HOST: ReadonlySet<TokenType> = new Set(
  ['import', 'const', 'budget', 'vm', 'block', 'run', 'host', 'user', 'supervisor', 'read', 'expect'].map(t.word),
);
const WHAT = 'an act of the host, as delete or reclaim';

/** What tells host acts apart, without what they share. */
type Only<T> = T extends HostAct ? Omit<T, 'kind' | 'expects' | 'range'> : never;
type HostActOnly = Only<HostAct>;

/** `host delete slot 1`, or `host { … }` */
export const hostActs: Rule<[], HostActs> = ($) => {
  type Acts = Pick<HostActs, 'act' | 'body'>;
  const choice = {
    DEF: [
      { ALT: (): Acts => ({ act: null, body: $.SUBRULE($.hostBody) }) }, //
      { ALT: (): Acts => ({ act: $.SUBRULE($.hostAct), body: null }) },
    ],
    ELSE: (): Acts => ({ act: $.SUBRULE($.hostAct), body: null }),
  };
  return () => {
    const start = $.CONSUME(t.word('host')).startOffset;
    return { kind: 'host-acts', ...$.OR(choice), range: $.since(start) };
  };
};

export const hostBody: Rule<[], Body<HostAct | ErrorNode> | null> = ($) => () => $.BRACES('host-acts', 'host', $.hostAct, AFTER_HOST);

export const hostAct: Rule<[], HostAct | null> = ($) => {
  const choice = {
    DEF: [
      { ALT: (): HostActOnly | null => $.SUBRULE($.createSlot) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.deleteSlot) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.moveSlot) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.resizeSlot) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.slotFlagsAct) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.getDirtyLog) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.clearDirtyLog) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.reclaim) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.splitPage) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.collapse) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.protect) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.hostWrite) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.zapAll) },
      { ALT: (): HostActOnly | null => $.SUBRULE($.nrMmuPages) },
    ],
    ELSE: (): HostActOnly | null => strange($),
  };
  return () => {
    const start = $.here();
    const act = $.broken() ? none($) : $.OR(choice);
    if (!act) return null;
    const after = expects($);
    return { kind: 'host-act', ...act, expects: after, range: $.since(start) } as HostAct;
  };
};

function none($: Grammar): null {
  $.expected(WHAT);
  return null;
}

function strange($: Grammar): null {
  if (!$.is(t.Word)) return none($);
  const token = $.take();
  $.unknown('unknown-word', 'act of the host', { text: token.image, range: t.rangeOf(token) }, Object.keys(HOST_ACTS));
  $.panic = true;
  return null;
}

const SLOT_ID = value('the id of a slot', 'slot');

/** `slot 2` */
export const slotId: Rule<[], Expression> = ($) => () => {
  $.CONSUME(t.word('slot'));
  return $.SUBRULE($.expression, SLOT_ID);
};

/** `create slot 2 { … }` */
export const createSlot: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('create'));
  if (!$.RECORDING_PHASE && !$.may(t.word('slot'), 1)) {
    $.expectedSign('slot');
    return { act: 'create', slot: null };
  }
  const slot: Slot = $.SUBRULE($.slot);
  return { act: 'create', slot };
};

/** `delete slot 2` */
export const deleteSlot: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('delete'));
  return { act: 'delete', id: $.SUBRULE($.slotId) };
};

const NEW_ADDRESS = value('a guest-physical address', 'gpa');
const NEW_SIZE = value('a size', 'size');

/** `move slot 2 to 0x100_0000` */
export const moveSlot: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('move'));
  const id = $.SUBRULE($.slotId);
  $.CONSUME(t.word('to'));
  return { act: 'move', id, to: $.SUBRULE($.expression, NEW_ADDRESS) };
};

/** `resize slot 2 to 8M` */
export const resizeSlot: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('resize'));
  const id = $.SUBRULE($.slotId);
  $.CONSUME(t.word('to'));
  return { act: 'resize', id, to: $.SUBRULE($.expression, NEW_SIZE) };
};

const SLOT_FLAGS: { ARGS: [string] } = { ARGS: ['log_dirty, readonly or none'] };

/** `flags slot 2 log_dirty` */
export const slotFlagsAct: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('flags'));
  const id = $.SUBRULE($.slotId);
  return { act: 'flags', id, flags: someFlags($, 'slot', SLOT_FLAGS) };
};

/** `dirty log slot 0` */
export const dirtyLog: Rule<[], Expression> = ($) => () => {
  $.CONSUME(t.word('dirty'));
  $.CONSUME(t.word('log'));
  return $.SUBRULE($.slotId);
};

/** `get dirty log slot 0` */
export const getDirtyLog: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('get'));
  return { act: 'get-dirty-log', id: $.SUBRULE($.dirtyLog) };
};

const PAGE_NUMBERS = value('page numbers, as `0 .. 63`', 'page-numbers');

/** `clear dirty log slot 0 pages 0 .. 63` */
export const clearDirtyLog: Rule<[], HostActOnly> = ($) => {
  const numbers = {
    GATE: () => $.clause(),
    DEF: (): RangeExpression => {
      $.CONSUME(t.word('pages'));
      return $.SUBRULE($.range, PAGE_NUMBERS);
    },
  };
  return () => {
    $.CONSUME(t.word('clear'));
    const id = $.SUBRULE($.dirtyLog);
    return { act: 'clear-dirty-log', id, pages: $.OPTION(numbers) ?? null };
  };
};

/** `reclaim gpa 0x5000 +8K` */
export const reclaim: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('reclaim'));
  return { act: 'reclaim', area: $.SUBRULE($.area) };
};

/** `split gpa 0x20_0000` */
export const splitPage: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('split'));
  return { act: 'split', area: $.SUBRULE($.area) };
};

/** `collapse gpa 0x20_0000` */
export const collapse: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('collapse'));
  return { act: 'collapse', area: $.SUBRULE($.area) };
};

const PROTECTION: { ARGS: [string] } = { ARGS: ['ro or rw'] };

/** `protect hva 0x7f00_0000_0000 +2M ro` */
export const protect: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('protect'));
  const area = $.SUBRULE($.area);
  return { act: 'protect', area, flags: someFlags($, 'protect', PROTECTION) };
};

/** `write gpa 0x5000 = 7` */
export const hostWrite: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('write'));
  const area = $.SUBRULE($.area);
  $.CONSUME(t.Assign);
  return { act: 'write', area, value: $.SUBRULE($.expression, VALUE) };
};

/** `zap all` */
export const zapAll: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('zap'));
  $.CONSUME(t.word('all'));
  return { act: 'zap-all' };
};

const PAGES = value('a number of pages', 'number');

/** `nr_mmu_pages 64` */
export const nrMmuPages: Rule<[], HostActOnly> = ($) => () => {
  $.CONSUME(t.word('nr_mmu_pages'));
  return { act: 'nr-mmu-pages', pages: $.SUBRULE($.expression, PAGES) };
};

const AREAS = { gpa: value('an address', 'gpa'), hva: value('an address', 'hva') };

/** `gpa 0x5000 +8K`, `hva 0x7f00_0000_0000` */
export const area: Rule<[], HostArea> = ($) => {
  const choice = {
    DEF: [
      { ALT: () => $.CONSUME(t.word('gpa')).image }, //
      { ALT: () => $.CONSUME(t.word('hva')).image },
    ],
    ELSE: () => {
      $.expectedSign('gpa');
      return 'gpa';
    },
  };
  return () => {
    const start = $.here();
    const space = $.OR(choice) as 'gpa' | 'hva';
    const of = $.SUBRULE($.range, AREAS[space]);
    return { kind: 'host-area', space, area: of, range: $.RECORDING_PHASE ? $.since(0) : $.since(Math.min(start, of.range.start)) };
  };
};
