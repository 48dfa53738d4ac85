/** All rules, in the order in which what they say matters. */
import { EMULATION_RULES } from './emulation-rules';
import { GUEST_RULES } from './guest-rules';
import { HOST_RULES } from './host-rules';
import { PAGE_FAULT_RULES } from './page-fault-rules';
import type { Rule } from './rule';

const RULES = { ...PAGE_FAULT_RULES, ...EMULATION_RULES, ...GUEST_RULES, ...HOST_RULES } as const;

export type RuleName = keyof typeof RULES;

export const RULE_NAMES = Object.keys(RULES) as readonly RuleName[];

export function ruleNamed(name: RuleName): Rule {
  return RULES[name];
}
