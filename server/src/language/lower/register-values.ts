/** Registers and their bits with values, as scripts load and expect them. */
import type { RegisterLoad } from '../syntax/tree';
import { LIMIT } from '../semantics/values';
import type { Env } from '../semantics/values';
import { registerBit } from './registers';
import type { ScriptLowering } from './script';

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
