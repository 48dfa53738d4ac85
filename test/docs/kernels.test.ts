import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { KERNELS_DOCUMENT, withRules } from '../../scripts/kernels/kernels-document';
import { KERNEL_RULES } from '../../server/src/engine/mmu/kernel-rules';

describe('docs/kernels.md', () => {
  const document = readFileSync(KERNELS_DOCUMENT, 'utf8');

  it('has the rules as the engine has them', () => {
    assert.equal(withRules(document), document, 'npm run generate is due');
    for (const { about } of Object.values(KERNEL_RULES)) assert.ok(document.includes(about), about);
  });
});
