/** `cr2 = 0x40_0000`, `vmcs.eptp = ept12` */
import type { Expectation as Judged } from '../../engine/program';
import { bindParts, NO_WORDS, noOutcome } from '../kind';
import type { ExpectationKind } from '../kind';
import { readControlField } from '../lower/control-fields';
import { registerValue } from '../lower/register-values';
import type { Frame, ScriptLowering } from '../lower/script';
import { VALUE } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression, Word } from '../syntax/tree';

export interface ExpectRegister extends Base {
  readonly kind: 'expect-register';
  readonly register: Word;
  readonly bit: Word | null;
  readonly value: Expression;
}

/** `cr2 = 0x40_0000` */
const rule: Rule<[], ExpectRegister> = ($) => () => {
  const start = $.here();
  const part = $.SUBRULE($.register);
  $.CONSUME($.t.Assign);
  const of = $.SUBRULE($.expression, VALUE);
  return { kind: 'expect-register', register: part.register, bit: part.bit, value: of, range: $.since(start) };
};

export const register: ExpectationKind<ExpectRegister> = {
  rule,
  words: NO_WORDS,
  bind: bindParts,
  address: ({ register: { text }, bit }) => (bit ? null : text === 'cr3' ? 'gpa' : text === 'cr2' ? 'gva' : null),
  outcome: noOutcome,
  ofLastAct: false,
  lower,
};

function lower(script: ScriptLowering, node: ExpectRegister, frame: Frame): readonly Judged[] {
  const name = node.register.text;
  if (name === 'vmcs' || name === 'vmcb') return control(script, node, frame);
  const wanted = registerValue(script, node, frame.env);
  if (!wanted) return [];
  const register = name as Extract<Judged, { kind: 'register' }>['register'];
  return [{ kind: 'register', register, mask: wanted.mask, value: wanted.value }];
}

/** Of the performer, when it is a VM inside another; else of the guest that the performer works on. */
function control(script: ScriptLowering, node: ExpectRegister, { env, vm }: Frame): readonly Judged[] {
  const guest = vm.plan.parent ? vm : script.run.currentGuest(vm);
  if (!guest) {
    const message = `${vm.plan.named.name} has no VM inside, and no ${node.register.text.toUpperCase()} for one`;
    script.context.report(env, node.register, 'not-a-hypervisor', message);
    return [];
  }
  const written = readControlField(script, node, env);
  return written ? [{ kind: 'control', vm: guest.index, ...written }] : [];
}
