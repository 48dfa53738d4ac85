/** The table of what differs between kernels; what each rule does is shown in options.test.ts. */
import assert from 'node:assert/strict';
import { KERNEL_RULES, rulesOf, type KernelRule, type KernelRuleName } from '../../../server/src/engine/mmu/kernel-rules';
import type { Kernel } from '../../../server/src/engine/program';

const KERNELS: readonly Kernel[] = ['6.1', 'mainline'];
const rules = Object.entries(KERNEL_RULES) as [KernelRuleName, KernelRule][];

describe('rules of kernels', () => {
  it('hold in some kernel and not in another', () => {
    for (const [name, rule] of rules) assert.equal(new Set(KERNELS.map((kernel) => rule[kernel].holds)).size, 2, name);
  });

  it('say where the kernel has them', () => {
    for (const [name, rule] of rules) assert.match(rule.function, /^mmu\/\w+\.[ch]: \w+$/, name);
  });

  it('of 6.1 are measured', () => {
    for (const [name, rule] of rules) assert.equal(rule['6.1'].proof, 'measured', name);
  });

  it('are asked for by name, a column at a time', () => {
    for (const kernel of KERNELS) {
      const column = rulesOf(kernel);
      for (const [name, rule] of rules) assert.equal(column[name], rule[kernel].holds, `${name} in ${kernel}`);
    }
  });
});
