import { strict as assert } from 'node:assert';
import { Allowed } from '../../server/src/workspace/allowed';

const DOCUMENT = 'file:///w/lessons/a.mmu';

const refused = (allowed: Allowed, uri: string, opening: Parameters<Allowed['refusal']>[2] = 'import'): string | null =>
  allowed.refusal(uri, DOCUMENT, opening)?.notOpened ?? null;

describe('what a document may open', () => {
  it('is what lies in the folders of the workspace', () => {
    const allowed = new Allowed(['file:///w/', 'file:///more'], true);
    for (const uri of ['file:///w/lessons/b.mmu', 'file:///w/b.mmu', 'file:///more/x/y.dump']) assert.equal(refused(allowed, uri), null);
    for (const uri of ['file:///etc/passwd', 'file:///ww/b.mmu', 'file:///w2', 'file://host/w/b.mmu', 'http://w/b.mmu'])
      assert.equal(refused(allowed, uri), 'lies outside the workspace', uri);
  });

  it('is what lies beside and below the document where there is no workspace', () => {
    const allowed = new Allowed([], true);
    assert.equal(refused(allowed, 'file:///w/lessons/deep/b.mmu', 'load'), null);
    assert.match(refused(allowed, 'file:///w/b.mmu')!, /outside the folder of this scenario/);
  });

  it('does not depend on which characters an editor encodes', () => {
    assert.equal(refused(new Allowed(['file:///c%3A/my%20w'], true), 'file:///c:/my%20w/b.mmu'), null);
  });

  it('are scenarios alone where the user does not trust the workspace', () => {
    const allowed = new Allowed(['file:///w'], false);
    assert.equal(refused(allowed, 'file:///w/b.mmu'), null);
    assert.match(refused(allowed, 'file:///w/notes.txt')!, /Restricted Mode/);
    assert.match(refused(allowed, 'file:///w/b.mmu', 'load')!, /Restricted Mode/);
    allowed.trusted = true;
    assert.equal(refused(allowed, 'file:///w/guest.dump', 'load'), null);
  });
});
