/** What the VMM and the host's memory management do in a script, each by its kind. */
import { HOST_ACT_KINDS } from '../../statements/host/kinds';
import type { Only } from '../../statements/host/act';
import * as t from '../tokens';
import type { Body, ErrorNode, Expression, HostAct, HostArea } from '../tree';
import { HOST_ACTS } from '../words/structure';
import { alternatives } from './alternatives';
import { value, type Grammar, type Rule } from './rule';

const AFTER_HOST = t.kindsOf(['import', 'const', 'budget', 'vm', 'block', 'run', 'host', 'user', 'supervisor', 'read', 'expect']);

export const hostBody: Rule<[], Body<HostAct | ErrorNode> | null> = ($) => () => $.BRACES('host-acts', 'host', $.hostAct, AFTER_HOST);

const WHAT = 'an act of the host, as delete or reclaim';

type Act = Only<HostAct> | ErrorNode;

export const hostAct: Rule<[], HostAct | null> = ($) => {
  const choice = { DEF: alternatives<Act>($, HOST_ACT_KINDS), ELSE: (): Act | null => strange($) };
  return () => {
    const start = $.here();
    const act = $.broken() ? none($) : $.OR(choice);
    if (!act) return null;
    const after = $.expects();
    return { ...act, kind: 'host-act', expects: after, range: $.since(start) } as HostAct;
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

/** `dirty log slot 0` */
export const dirtyLog: Rule<[], Expression> = ($) => () => {
  $.CONSUME(t.word('dirty'));
  $.CONSUME(t.word('log'));
  return $.SUBRULE($.slotId);
};

const AREAS = { gpa: value('an address', 'gpa'), hva: value('an address', 'hva') };

/** `gpa 0x5000 +8K`, `hva 0x7f00_0000_0000` */
export const area: Rule<[], HostArea> = ($) => {
  type Area = Pick<HostArea, 'space' | 'area'>;
  const within = (space: 'gpa' | 'hva', index: number) => (): Area => {
    $.CONSUME(t.word(space));
    return { space, area: $.subrule(index, $.range, AREAS[space]) };
  };
  const gpa = within('gpa', 0);
  const choice = { DEF: [{ ALT: gpa }, { ALT: within('hva', 1) }], ELSE: gpa };
  return () => {
    const start = $.here();
    const of = $.OR(choice);
    return { kind: 'host-area', ...of, range: $.RECORDING_PHASE ? $.since(0) : $.since(Math.min(start, of.area.range.start)) };
  };
};
