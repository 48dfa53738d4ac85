/** Loads of registers, and whether a processor takes them. */
import type { Act, RegisterName } from '../../engine/program';
import type { RegisterLoad } from '../syntax/tree';
import { LIMIT } from '../semantics/values';
import type { Env } from '../semantics/values';
import { refusalReason } from './refusals';
import { lowerControlLoad } from './hypervisor-acts';
import { isLoadable, registerBit } from './registers';
import { expectsGp } from './script';
import type { Frame, ScriptLowering } from './script';
import { checkFormat } from './vcpus';

/** Register, mask and value of `cr0.wp = 0` or `cr3 = kernel`; null when there is no such bit or no value. */
export function registerValue(
  script: ScriptLowering,
  node: Pick<RegisterLoad, 'register' | 'bit' | 'value'>,
  env: Env,
): { readonly mask: bigint; readonly value: bigint } | null {
  const { context } = script;
  const name = node.register.text;
  if (!node.bit) {
    const value = context.evaluator.bits(node.value, env);
    return value === null ? null : { mask: LIMIT - 1n, value };
  }
  const mask = registerBit(name, node.bit.text);
  // An unknown bit is reported by the parser.
  if (mask === null) return null;
  const value = context.switch(node.value, env, `${name}.${node.bit.text}`);
  return value === null ? null : { mask, value: value ? mask : 0n };
}

export function lowerRegisterLoad(script: ScriptLowering, node: RegisterLoad, frame: Frame, out: Act[]): void {
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
  const reason = refusalReason(name, whole, registers, script.run.host);
  if (registers.load(name, whole) || expectsGp(script, node.expects)) return;
  context.warn(env, node, 'register-refused', `#GP(0): ${reason}`);
}
