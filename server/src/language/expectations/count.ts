/** `exits 1`, `exits <= 3 of EPT_VIOLATION from l2`, `references 24` */
import type { Expectation as Judged } from '../../engine/program';
import { bindParts, noAddress, noOutcome } from '../kind';
import type { ExpectationKind } from '../kind';
import { otherVendor } from '../lower/observed';
import type { RunVm } from '../lower/run-state';
import type { Frame, ScriptLowering } from '../lower/script';
import { reportUnsupported } from '../lower/unsupported';
import { value } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression, Reference, Word } from '../syntax/tree';

export type Comparison = '==' | '<=' | '>=';

export interface ExpectCount extends Base {
  readonly kind: 'expect-count';
  readonly what: 'exits' | 'references';
  readonly compare: Comparison;
  readonly count: Expression;
  readonly reason: Word | null;
  /** The VM that was left. */
  readonly from: Reference | null;
}

const COUNT = { exits: value('a number', 'exits'), references: value('a number', 'references') };

export const FROM = { ERR_MSG: 'a VM', REFERS: 'vm', LABEL: 'vm' } as const;

/** `exits 1`, `exits <= 3 of EPT_VIOLATION from l2`, `references 24` */
const rule: Rule<[], ExpectCount> = ($) => {
  const comparison = (): Comparison => $.CONSUME($.t.Comparison).image as Comparison;
  const why = (): Word | null => {
    $.CONSUME($.t.word('of'));
    return $.SUBRULE($.reason);
  };
  let what: ExpectCount['what'] = 'exits';
  const who = {
    GATE: () => what === 'exits',
    DEF: (): Reference | null => {
      $.CONSUME($.t.word('from'));
      return $.referenceOrNull($.CONSUME($.t.Word, FROM), 'vm');
    },
  };
  return () => {
    const start = $.here();
    const counted = $.CONSUME($.t.Counted).image as ExpectCount['what'];
    const compare = $.OPTION1(comparison) ?? '==';
    const count = $.SUBRULE($.expression, COUNT[counted] ?? COUNT.exits);
    const of = $.OPTION2(why) ?? null;
    what = counted;
    const from = $.OPTION3(who) ?? null;
    return { kind: 'expect-count', what: counted, compare, count, reason: of, from, range: $.since(start) };
  };
};

export const count: ExpectationKind<ExpectCount> = {
  rule,
  words: {
    expectation: {
      exits: 'Number of VM exits of the act before: `exits 1`, `exits <= 3`, `exits 2 of EPT_VIOLATION`.',
      references: 'Number of paging-structure entries that the processor read for the act before.',
    },
    clause: { from: '`exits 3 from l2`: exits of one VM alone, when there is a VM inside a VM.' },
  },
  bind: bindParts,
  address: noAddress,
  outcome: noOutcome,
  ofLastAct: true,
  lower,
};

function lower(script: ScriptLowering, node: ExpectCount, frame: Frame): readonly Judged[] {
  const { context, run } = script;
  const { env } = frame;
  const count = context.between(node.count, env, `a number of ${node.what}`, 0n, 1_000_000_000n);
  if (count === null) return [];
  if (node.what === 'references') return [{ kind: 'references', count: Number(count), compare: node.compare }];
  const reason = node.reason?.text ?? null;
  if (reason !== null && count > 0n && node.compare !== '<=') {
    const other = otherVendor(reason, run.host.vendor);
    if (other) context.warn(env, node.reason ?? node, 'other-vendor', other);
  }
  const from = node.from && exiting(script, node.from, frame);
  if (node.from && !from) return [];
  return [{ kind: 'exits', count: Number(count), reason, compare: node.compare, ...(from ? { from: from.index } : {}) }];
}

/** The VM that is left. */
export function exiting({ context, run }: ScriptLowering, reference: Reference, { env }: Frame): RunVm | null {
  const named = context.links.byReference.get(reference);
  const vm = named ? run.vmNamed(named) : null;
  if (named && !vm) context.report(env, reference, 'not-in-run', `${named.name} is not part of this run`);
  // The journal tells exits of guests from those of their hypervisor, and not guests from each other.
  if (vm?.plan.parent && vm.plan.parent.children.length > 1) {
    reportUnsupported(context, env, reference, 'exits-of-one-guest');
    return null;
  }
  return vm;
}
