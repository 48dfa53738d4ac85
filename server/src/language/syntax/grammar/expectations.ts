/** Expectations: what stands after `expect`, each by its kind. */
import type { TokenType } from 'chevrotain';
import { EXPECTATION_KINDS } from '../../expectations/kinds';
import { entry } from '../../expectations/entry';
import { fault } from '../../expectations/fault';
import * as t from '../tokens';
import type { ErrorNode, EventField, Expectation, Expression, Word } from '../tree';
import { EXPECTATIONS } from '../words/structure';
import { alternatives } from './alternatives';
import { value, type Grammar, type Rule } from './rule';

const WHAT = 'what must hold, as ok, #PF, exits or value';

export const expectation: Rule<[], Expectation | null> = ($) => {
  const choice = {
    DEF: alternatives<Expectation>($, EXPECTATION_KINDS),
    ELSE: (): Expectation | null => {
      if ($.is(t.Fault)) return $.SUBRULE($.readerOf(fault.rule));
      if (!$.is(t.Word)) return none($);
      // An entry that is not whole yet.
      return $.is(t.Dot, 2) || $.is(t.BuiltIn) ? $.SUBRULE($.readerOf(entry.rule)) : strange($);
    },
  };
  return () => ($.broken() ? none($) : $.OR(choice));
};

function none($: Grammar): null {
  $.expected(WHAT);
  return null;
}

/** Tokens behind an expectation. */
const ENDS: ReadonlySet<TokenType> = new Set([t.Comma, ...['under', 'with', 'expect'].map(t.word)]);

/** A word that cannot be expected is taken with what follows it, up to the next comma. */
function strange($: Grammar): ErrorNode {
  const token = $.take();
  const range = t.rangeOf(token);
  $.unknown('unknown-word', 'expectation', { text: token.image, range }, Object.keys(EXPECTATIONS));
  $.skipLine(({ tokenType }) => ENDS.has(tokenType));
  return { kind: 'error', range: $.since(range.start) };
}

const REASON = { ERR_MSG: 'an exit reason, as EPT_VIOLATION' };

/** Exit reasons may be words of the language, as SVM's `invlpg`, or `#PF`. */
export const reason: Rule<[], Word | null> = ($) => () => {
  const isStrange = !$.is(t.Reason) && ($.is(t.AnyWord) || $.is(t.Fault)) && !$.broken();
  return isStrange ? $.wordOf($.strange(t.Reason), 'reason') : $.wordOrNull($.CONSUME(t.Reason, REASON), 'reason');
};

const FIELD = value('a value of the event', 'event-field');

/** `gfn 5`, `actor user`, `EPT_VIOLATION`, `3` */
export const eventField: Rule<[], EventField> = ($) => {
  const name = { GATE: () => !$.broken() && isFieldName($), DEF: (): Word => $.wordOf($.CONSUME(t.AnyWord), 'field') };
  let named = '';
  const content = {
    DEF: [
      /** One of the words is reserved: `actor user`. */
      { GATE: () => named === 'actor', ALT: (): Word | Expression => $.wordOf($.CONSUME(t.Actor), 'actor') },
      {
        /** A name that an event's number stands for. */
        GATE: () => named !== 'actor' && !$.broken() && ($.may(t.Comma, 2) || $.may(t.RParen, 2)),
        ALT: (): Word | Expression => $.wordOf($.CONSUME(t.Reason), 'reason'),
      },
      { ALT: (): Word | Expression => $.SUBRULE($.expression, FIELD) },
    ],
    ELSE: (): Word | Expression => $.SUBRULE($.expression, FIELD),
  };
  return () => {
    const start = $.here();
    const field = $.OPTION(name) ?? null;
    named = field?.text ?? '';
    const of = $.OR(content);
    return {
      kind: 'event-field',
      name: field,
      value: of,
      range: $.since($.RECORDING_PHASE ? 0 : Math.min(start, of.range.start)),
    };
  };
};

/** A word with a value behind it, as `gfn 5`. */
function isFieldName($: Grammar): boolean {
  return $.may(t.Word, 2) || $.may(t.Actor, 2) || $.may(t.Num, 2) || $.may(t.LParen, 2) || $.may(t.Not, 2) || $.may(t.Reason, 2);
}
