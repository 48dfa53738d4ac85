/** `total exits EPT_VIOLATION 64`, `total references <= 24`, `total kvm_stat pf_fixed 12`, `total kvm_page_fault 12`: sums over the run up to there. */
import type { Expectation as Judged, TotalOf } from '../../engine/program';
import { bindParts, noAddress, noOutcome } from '../kind';
import type { ExpectationKind } from '../kind';
import { otherVendor } from '../lower/observed';
import type { Frame, ScriptLowering } from '../lower/script';
import { value } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression, Reference, Word } from '../syntax/tree';
import { exiting, FROM } from './count';
import type { Comparison } from './count';

export interface ExpectTotal extends Base {
  readonly kind: 'expect-total';
  readonly what: TotalOf['what'];
  /** The exit reason, event or statistic; null: of exits any, of what is not written yet. */
  readonly name: Word | null;
  readonly compare: Comparison;
  readonly count: Expression;
  /** Of exits: the VM that was left. */
  readonly from: Reference | null;
}

type What = Pick<ExpectTotal, 'what' | 'name'>;

const NUMBER = value('a number', 'total');
const STATISTIC = { ERR_MSG: "a name of kvm_stat's, as pf_fixed", UNKNOWN: 'unknown-word' } as const;
const EVENT = { ERR_MSG: 'what is summed up: exits, references, kvm_stat or an event', UNKNOWN: 'unknown-word' } as const;

/** `total exits EPT_VIOLATION 64` */
const rule: Rule<[], ExpectTotal> = ($) => {
  const comparison = (): Comparison => $.CONSUME($.t.Comparison).image as Comparison;
  const why = (): Word | null => $.SUBRULE($.reason);
  /** A word before a number can only be a reason. */
  const strangeReason = (): boolean =>
    !$.is($.t.Reason) && $.is($.t.AnyWord) && !$.onNewLine() && ($.may($.t.Num, 2) || $.may($.t.Comparison, 2));
  const what = {
    DEF: [
      {
        ALT: (): What => {
          $.CONSUME($.t.word('exits'));
          const name = $.OPTION1(why) ?? (strangeReason() ? $.SUBRULE2($.reason) : null);
          return { what: 'exits', name };
        },
      },
      {
        ALT: (): What => {
          $.CONSUME($.t.word('references'));
          return { what: 'references', name: null };
        },
      },
      {
        ALT: (): What => {
          $.CONSUME($.t.word('kvm_stat'));
          return { what: 'statistic', name: $.wordOrNull($.CONSUME($.t.Statistic, STATISTIC), 'statistic') };
        },
      },
      { ALT: (): What => ({ what: 'event', name: $.wordOrNull($.CONSUME($.t.Event, EVENT), 'event') }) },
    ],
    ELSE: (): What => ({ what: 'event', name: $.wordOrNull($.CONSUME2($.t.Event, EVENT), 'event') }),
  };
  let ofExits = false;
  const who = {
    GATE: () => ofExits,
    DEF: (): Reference | null => {
      $.CONSUME($.t.word('from'));
      return $.referenceOrNull($.CONSUME($.t.Word, FROM), 'vm');
    },
  };
  return () => {
    const start = $.CONSUME($.t.word('total')).startOffset;
    const of = $.OR(what);
    const compare = $.OPTION2(comparison) ?? '==';
    const count = $.SUBRULE($.expression, NUMBER);
    ofExits = of.what === 'exits';
    const from = $.OPTION3(who) ?? null;
    return { kind: 'expect-total', ...of, compare, count, from, range: $.since(start) };
  };
};

export const total: ExpectationKind<ExpectTotal> = {
  rule,
  words: {
    expectation: {
      total: 'A sum over the run up to there: `total exits EPT_VIOLATION 64`, `total references <= 24`, `total kvm_page_fault 12`.',
    },
    clause: { kvm_stat: '`total kvm_stat pf_fixed 12`: what `kvm_stat` shows on the host, by its names.' },
  },
  bind: bindParts,
  address: noAddress,
  outcome: noOutcome,
  ofLastAct: false,
  lower,
};

function lower(script: ScriptLowering, node: ExpectTotal, frame: Frame): readonly Judged[] {
  const { context } = script;
  const count = context.between(node.count, frame.env, 'a number', 0n, 1_000_000_000_000n);
  if (count === null) return [];
  const of = summed(script, node, frame);
  return of ? [{ kind: 'total', of, count: Number(count), compare: node.compare }] : [];
}

function summed(script: ScriptLowering, node: ExpectTotal, frame: Frame): TotalOf | null {
  const name = node.name?.text ?? null;
  switch (node.what) {
    case 'references':
      return { what: 'references' };
    case 'event':
    case 'statistic':
      return name === null ? null : { what: node.what, name };
    case 'exits': {
      const other = name === null ? null : otherVendor(name, script.run.host.vendor);
      if (other) script.context.warn(frame.env, node.name!, 'other-vendor', other);
      const from = node.from && exiting(script, node.from, frame);
      if (node.from && !from) return null;
      return { what: 'exits', reason: name, ...(from ? { from: from.index } : {}) };
    }
  }
}
