/** A short part of what `npm run fuzz` does, by fixed seeds. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { documents, useAll } from '../../scripts/fuzz/documents';
import { pathRound } from '../../scripts/fuzz/paths';
import { sessionRound } from '../../scripts/fuzz/sessions';

describe('fuzzing', function () {
  this.timeout(120_000);

  it('documents: whatever the text, nothing throws and no range is wrong', () => {
    for (const document of fc.sample(documents, { seed: 7, numRuns: 40 })) useAll(document);
  });

  it('paths: nothing outside a folder is read', async () => assert.equal((await pathRound(7)).found, null));

  it('sessions: the server answers and ends, whatever it is sent', async () => assert.equal((await sessionRound(7)).found, null));
});
