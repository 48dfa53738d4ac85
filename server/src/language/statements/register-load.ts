/** `cr3 = user_root`, `cr0.wp = 0`: a load of a register, and whether a processor takes it. */
import type { Act, RegisterName } from '../../engine/program';
import { always, bindParts, NO_WORDS } from '../kind';
import type { StatementKind } from '../kind';
import { lowerControlLoad } from '../lower/control-fields';
import { expectsGp } from '../lower/expected';
import { refusalReason } from '../lower/refusals';
import { isLoadable } from '../lower/registers';
import { registerValue } from '../lower/register-values';
import type { Frame, ScriptLowering } from '../lower/script';
import { checkFormat } from '../machine/vcpu';
import { LIMIT } from '../semantics/values';
import { VALUE } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expect, Expression, Word } from '../syntax/tree';
import { actEntry } from './head';

export interface RegisterLoad extends Base {
  readonly kind: 'register-load';
  readonly register: Word;
  readonly bit: Word | null;
  readonly value: Expression;
  readonly expects: readonly Expect[];
}

/** `cr3 = user_root`, `cr0.wp = 0` */
const rule: Rule<[], RegisterLoad> = ($) => () => {
  const start = $.here();
  const part = $.SUBRULE($.register);
  $.CONSUME($.t.Assign);
  const of = $.SUBRULE($.expression, VALUE);
  const after = $.expects();
  return { kind: 'register-load', register: part.register, bit: part.bit, value: of, expects: after, range: $.since(start) };
};

export const registerLoad: StatementKind<RegisterLoad> = {
  rule,
  words: NO_WORDS,
  numbered: 'always',
  line: 'statement',
  ends: { called: 'a register load', outcomes: ['ok', '#GP', 'shutdown', 'exit', 'error'] },
  does: always,
  bind: bindParts,
  address: ({ register, bit }) => (register.text === 'cr3' && !bit ? 'gpa' : null),
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: RegisterLoad, frame: Frame, out: Act[]): void {
  const { context } = script;
  const { env, vm, vcpu } = frame;
  const name = node.register.text;
  if (name === 'vmcs' || name === 'vmcb') return lowerControlLoad(script, node, frame, out);
  if (!isLoadable(name)) {
    context.report(env, node.register, 'not-loadable', `${name} cannot be loaded by a script`);
    return;
  }
  const load = registerValue(script, node, env);
  if (!load) return;
  checkLoad(script, node, name, load, frame);
  const whole = load.mask === LIMIT - 1n;
  const by = { vm: vm.index, vcpu };
  script.emit(
    { do: 'register', origin: script.statements.of(node), by, register: name, value: load.value, ...(whole ? {} : { mask: load.mask }) },
    out,
    node,
    env,
  );
}

function checkLoad(
  script: ScriptLowering,
  node: RegisterLoad,
  name: RegisterName,
  { mask, value }: { readonly mask: bigint; readonly value: bigint },
  frame: Frame,
): void {
  const { context } = script;
  const { env, vm, vcpu } = frame;
  const registers = vm.registers[vcpu];
  if (frame.inHandler) registers.known = false;
  if (!registers.known) return;
  const named = name === 'cr3' ? context.evaluator.value(node.value, env) : null;
  if (typeof named === 'object' && named !== null) {
    const tables = (tables: typeof named) => {
      const found = script.run.tablesOf(tables);
      return found && { root: found.tables.root, format: found.tables.shape.name };
    };
    checkFormat(context, node.value, named, registers.paging, env, { tables });
  }
  const whole = registers.merged(name, value, mask);
  const reason = refusalReason(name, whole, registers);
  if (registers.load(name, whole) || expectsGp(script, node.expects)) return;
  context.warn(env, node, 'register-refused', `#GP(0): ${reason}`);
}
