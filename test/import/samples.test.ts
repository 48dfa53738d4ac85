/** samples/traces: what `mmu explain` says of each stands beside it; every rule is shown by the sample that it names. UPDATE_REFERENCE=1 writes them anew. */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { palette } from '../../server/src/export/colors';
import { Explainer } from '../../server/src/import/explainer';
import type { Explanation } from '../../server/src/import/explanation';
import { explanationText } from '../../server/src/import/report/text';
import { RULE_NAMES, ruleNamed } from '../../server/src/import/rules/rules';

const FOLDER = fileURLToPath(new URL('../../samples/traces', import.meta.url));
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.trace'));

function explain(name: string): Explanation {
  const explainer = new Explainer({ most: 200 });
  explainer.push(readFileSync(join(FOLDER, name)));
  return explainer.end();
}

describe('samples/traces:', () => {
  for (const name of NAMES) {
    it(name, () => {
      const explanation = explain(name);
      assert.deepEqual([...explanation.counts.unread.keys()], []);
      const text = `${[...explanationText(explanation, { file: name, paint: palette(false), brief: false })].join('\n')}\n`;
      const path = join(FOLDER, name.replace(/\.trace$/, '.txt'));
      if (process.env.UPDATE_REFERENCE) writeFileSync(path, text);
      assert.equal(text, existsSync(path) ? readFileSync(path, 'utf8') : '', 'UPDATE_REFERENCE=1 is due');
    });
  }

  for (const rule of RULE_NAMES) {
    it(`show ${rule}`, () => {
      const { sample, sure } = ruleNamed(rule);
      const found = explain(sample).findings.find((finding) => finding.rule === rule);
      assert.ok(found, `${sample} does not show it`);
      assert.equal(found.sure, sure);
    });
  }

  it('all are a rule’s', () => {
    assert.deepEqual(
      NAMES.filter((name) => !RULE_NAMES.some((rule) => ruleNamed(rule).sample === name)),
      [],
    );
  });
});
