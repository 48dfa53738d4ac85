/** `exit`, `exit EPT_VIOLATION`: it left the guest, for its hypervisor that the script plays. */
import type { Expectation as Judged } from '../../engine/program';
import { bindParts, noAddress } from '../kind';
import type { ExpectationKind } from '../kind';
import { otherVendor } from '../lower/observed';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Word } from '../syntax/tree';

export interface ExpectExit extends Base {
  readonly kind: 'expect-exit';
  /** Null: any. */
  readonly reason: Word | null;
}

/** `exit`, `exit EPT_VIOLATION` */
const rule: Rule<[], ExpectExit> = ($) => {
  const why = { GATE: () => !$.onNewLine(), DEF: (): Word | null => $.SUBRULE($.reason) };
  return () => {
    const start = $.CONSUME($.t.word('exit')).startOffset;
    const isStrange = !$.onNewLine() && !$.is($.t.Reason) && ($.is($.t.Word) || $.is($.t.Fault));
    const of = $.OPTION(why) ?? (isStrange ? $.SUBRULE2($.reason) : null);
    return { kind: 'expect-exit', reason: of, range: $.since(start) };
  };
};

export const exit: ExpectationKind<ExpectExit> = {
  rule,
  words: {
    expectation: {
      exit: 'The act ended in an exit for the hypervisor around, which the script plays: `exit EPT_VIOLATION`. Its guest is out.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: () => 'exit',
  ofLastAct: false,
  lower,
};

function lower(script: ScriptLowering, node: ExpectExit, { env, vm }: Frame): readonly Judged[] {
  const { context } = script;
  const reason = node.reason?.text ?? null;
  const other = reason === null ? null : otherVendor(reason, script.run.host.vendor);
  if (other) context.warn(env, node.reason ?? node, 'other-vendor', other);
  const l1 = vm.plan.parent;
  // Its guest's, or, of a VM entry, that of the guest that it enters.
  if (l1?.hypervisor !== 'script' && vm.plan.hypervisor !== 'script') {
    const why = l1 ? `${l1.named.name} behaves as KVM and handles exits of its guests by itself` : `${vm.plan.named.name} is in no VM`;
    context.report(env, node, 'not-by-script', `no exit is left to the script: ${why}; expect exits, or the event kvm_exit`);
    return [];
  }
  return [{ kind: 'vm-exit', reason }];
}
