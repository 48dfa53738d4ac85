/** docs/outcomes.md explains every rule by which an access can end, and nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { SECTIONS } from '../../server/src/views/way/verdicts';

it('docs/outcomes.md has a section for each rule, by its name', () => {
  const headings = [...readFileSync('docs/outcomes.md', 'utf8').matchAll(/^### (.+)$/gm)].map(([, heading]) => heading.toLowerCase().replaceAll(' ', '-'));
  assert.deepEqual([...headings].sort(), [...SECTIONS].sort());
});
