import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { EVENTS_DOCUMENT, eventsDocument } from '../../scripts/events/events-document';
import { EVENTS } from '../../server/src/engine/journal/event-table';

describe('docs/events.md', () => {
  const document = readFileSync(EVENTS_DOCUMENT, 'utf8');

  it('is as the definitions say', () => assert.equal(eventsDocument(), document, 'npm run generate is due'));

  it('has every event, and says what the kernel’s text does not', () => {
    for (const name of Object.keys(EVENTS)) assert.ok(document.includes(`\n### ${name}\n`), name);
    assert.match(document, /### kvm_mmu_paging_element[^#]*\*Not in ftrace\*: `gpa`, `stage`\./);
  });
});
