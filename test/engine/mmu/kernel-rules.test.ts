/** The table of what differs between kernels; what each rule does is shown in options.test.ts and docs/kernels.md. */
import assert from 'node:assert/strict';
import { KERNEL_RULES, holds, rulesOf, type KernelRule } from '../../../server/src/engine/mmu/kernel-rules';
import { KERNELS, type Kernel } from '../../../server/src/engine/program';

const kernels = Object.keys(KERNELS) as Kernel[];
const rules = Object.entries(KERNEL_RULES) as [keyof typeof KERNEL_RULES, KernelRule][];

describe('rules of kernels', () => {
  it('hold in some kernel and not in another', () => {
    for (const [name, rule] of rules) assert.equal(new Set(kernels.map((kernel) => holds(rule, kernel))).size, 2, name);
  });

  it('say where the kernel has them', () => {
    for (const [name, rule] of rules) assert.match(rule.function, /^(\w+\/)?\w+\.[ch]: \w+$/, name);
  });

  it('say how it is known, of each kernel', () => {
    for (const [name, { proof }] of rules) assert.deepEqual(Object.keys(proof), kernels, name);
  });

  it('hold from one kernel on, up to another, itself not with it', () => {
    const rule = { about: '', function: 'mmu/mmu.c: f', proof: KERNEL_RULES.suppressVe.proof } as const;
    const where = (bounds: Pick<KernelRule, 'since' | 'until'>): Kernel[] =>
      kernels.filter((kernel) => holds({ ...rule, ...bounds }, kernel));
    assert.deepEqual(where({}), ['6.1', '6.12']);
    assert.deepEqual(where({ since: '6.12' }), ['6.12']);
    assert.deepEqual(where({ until: '6.12' }), ['6.1']);
    assert.deepEqual(where({ since: '6.12', until: '6.12' }), []);
  });

  it('can be set apart from their kernel, each alone', () => {
    const { suppressVe, ...others } = rulesOf('6.12', { suppressVe: false });
    const { suppressVe: own, ...as } = rulesOf('6.12');
    assert.deepEqual([suppressVe, own], [false, true]);
    assert.deepEqual(others, as);
  });

  it('are asked for by name, all of a kernel at once', () => {
    for (const kernel of kernels) {
      const column = rulesOf(kernel);
      for (const [name, rule] of rules) assert.equal(column[name], holds(rule, kernel), `${name} in ${kernel}`);
    }
  });
});
