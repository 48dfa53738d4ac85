import { strict as assert } from 'node:assert';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { formatting, rangeFormatting } from '../../server/src/services/formatting';
import { opened, URI } from '../support/scripts';

const UGLY = 'host {memory 64M}\n\nvm guest {\nslot 0 {gpa 0 size 16M}\n   vcpu { cpl 3 }\n}\n';

function applied(text: string, edits: ReturnType<typeof formatting>): string {
  return TextDocument.applyEdits(TextDocument.create(URI, 'mmu', 1, text), edits);
}

describe('formatting', () => {
  it('changes a text once', () => {
    const { analysis, text } = opened(UGLY);
    const once = applied(text, formatting(analysis));
    assert.notEqual(once, text);
    assert.deepEqual(formatting(opened(once).analysis), []);
  });

  it('keeps the ends of lines of the text', () => {
    const { analysis, text } = opened(UGLY.replaceAll('\n', '\r\n'));
    assert.doesNotMatch(applied(text, formatting(analysis)).replaceAll('\r\n', ''), /[\r\n]/);
  });

  it('leaves a text with syntax errors alone', () => assert.deepEqual(formatting(opened('host {memory 64M\nvm {').analysis), []));

  it('of a range changes its lines only', () => {
    const { analysis, text } = opened(UGLY);
    const range = { start: { line: 3, character: 0 }, end: { line: 3, character: 1 } };
    const lines = applied(text, rangeFormatting(analysis, range)).split('\n');
    assert.equal(lines[0], UGLY.split('\n')[0]);
    assert.match(lines[3], /^ {2}slot 0 \{/);
  });
});
