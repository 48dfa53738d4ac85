import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { TRACES_DOCUMENT, withTraceTables } from '../../scripts/traces/traces-document';
import { RULE_NAMES, ruleNamed } from '../../server/src/import/rules/rules';

describe('docs/traces.md', () => {
  const document = readFileSync(TRACES_DOCUMENT, 'utf8');

  it('has the rules and the texts as they are', () => {
    assert.equal(withTraceTables(document), document, 'npm run generate is due');
    for (const name of RULE_NAMES) assert.ok(document.includes(`\n### ${name}\n`), name);
    assert.match(document, /\| `kvm_exit` +\| plugin of trace-cmd and perf/);
  });

  it('names sections that there are', () => {
    const spec = readFileSync(new URL('../../docs/spec/mmu-semantics.md', import.meta.url), 'utf8');
    for (const name of RULE_NAMES) assert.match(spec, new RegExp(`^### ${ruleNamed(name).section.replace('.', '\\.')} `, 'm'), name);
  });
});
