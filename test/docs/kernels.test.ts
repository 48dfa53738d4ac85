import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { KERNELS_DOCUMENT, withRules } from '../../scripts/kernels/kernels-document';
import { runScript } from '../../server/src/api/engine';
import { openScript, type OpenScript } from '../../server/src/api/language';
import { KERNEL_RULES, rulesOf, type KernelRuleName } from '../../server/src/engine/mmu/kernel-rules';
import { format } from '../../server/src/language/syntax/print';
import { failedExpectations } from '../../server/src/views/outcome';

const NAMES = Object.keys(KERNEL_RULES) as KernelRuleName[];

/** What fails, with the rule as the kernels have it, or in each of them the other way. */
function failures(script: OpenScript, rule: KernelRuleName | null): string[] {
  const programs = script.programs.map((program) => {
    const { host } = program.machine;
    const rules = rule === null ? {} : { [rule]: !rulesOf(host.kvm.kernel)[rule] };
    return { ...program, machine: { ...program.machine, host: { ...host, kvm: { ...host.kvm, rules } } } };
  });
  return runScript({ ...script, programs }).flatMap((view) => {
    assert.equal(view.record.ended.how, 'done', JSON.stringify(view.record.ended));
    return failedExpectations(view).map(({ expected, got }) => `${view.record.program.name}: expected ${expected}, got ${got}`);
  });
}

describe('docs/kernels.md', () => {
  const document = readFileSync(KERNELS_DOCUMENT, 'utf8');
  const sections = [...document.matchAll(/^### (\w+)\n\n[^#]+?\n\n```mmu\n([^]*?)^```$/gm)].map(([, name, text]) => ({ name, text }));

  it('has the rules as the engine has them', () => {
    assert.equal(withRules(document), document, 'npm run generate is due');
    for (const { about } of Object.values(KERNEL_RULES)) assert.ok(document.includes(about), about);
  });

  it('has an example for each rule, in their order, and no other', () => {
    assert.deepEqual(sections.map(({ name }) => name), NAMES); // prettier-ignore
    assert.equal(document.match(/^```mmu/gm)?.length, NAMES.length);
  });

  for (const { name, text } of sections) {
    it(`${name}: the example holds with each kernel, and not with that rule the other way`, () => {
      assert.equal(format(text), text, 'is in printed form');
      const script = openScript(text, `file:///docs/${name}.mmu`, { read: () => null });
      assert.deepEqual(script.problems.filter(({ severity }) => severity === 'error' || severity === 'warning'), []); // prettier-ignore
      assert.deepEqual(script.programs.map(({ machine }) => machine.host.kvm.kernel), ['6.1', '6.12']); // prettier-ignore
      assert.deepEqual(failures(script, null), []);
      assert.notDeepEqual(failures(script, name as KernelRuleName), []);
    });
  }
});
