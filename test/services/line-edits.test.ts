import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { lineEdits } from '../../server/src/services/line-edits';

function applied(before: string, after: string): string {
  return TextDocument.applyEdits(TextDocument.create('file:///a.mmu', 'mmu', 1, before), lineEdits(before, after));
}

describe('edits of whole lines', () => {
  it('leave lines alone that stay', () => {
    const edits = lineEdits('a\nb\nc\nd\n', 'a\nB\nc\nd\ne\n');
    assert.deepEqual(
      edits.map(({ range, newText }) => [range.start.line, range.end.line, newText]),
      [
        [1, 2, 'B\n'],
        [4, 4, 'e\n'],
      ],
    );
  });

  it('are none for equal texts', () => assert.deepEqual(lineEdits('a\n', 'a\n'), []));

  it('mend a last line without an end', () => assert.equal(applied('a\nb', 'a\nb\n'), 'a\nb\n'));

  it('make the one text the other', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '  c', ''), { maxLength: 12 })
      .chain((lines) => fc.constantFrom('\n', '\r\n').map((end) => lines.join(end)));
    fc.assert(fc.property(text, text, (before, after) => assert.equal(applied(before, after), after)));
  });
});
