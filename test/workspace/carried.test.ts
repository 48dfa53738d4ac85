import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { Diagnostic, Range } from 'vscode-languageserver-types';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { Carried } from '../../server/src/workspace/carried';
import { changesOf, lineAfter, lineBefore, movedRange, untouchedRange } from '../../server/src/workspace/moves';

const URI = 'file:///a.mmu';
const range = (line: number, from: number, to: number): Range => ({ start: { line, character: from }, end: { line, character: to } });

describe('a range after an edit', () => {
  for (const [what, change, expected] of [
    ['before it on its line', { range: range(2, 0, 1), text: 'abc' }, range(2, 6, 10)],
    ['above it', { range: range(0, 0, 0), text: 'a\nb\n' }, range(4, 4, 8)],
    ['of a line break before it', { range: range(2, 2, 2), text: '\n  ' }, range(3, 4, 8)],
    ['behind it', { range: range(2, 8, 8), text: 'abc' }, range(2, 4, 8)],
    ['at its very begin', { range: range(2, 4, 4), text: 'x' }, range(2, 5, 9)],
    ['in it', { range: range(2, 5, 6), text: 'xyz' }, range(2, 4, 10)],
    ['over its begin', { range: range(2, 3, 6), text: '' }, range(2, 3, 5)],
    ['over its end', { range: range(2, 6, 9), text: 'xyz' }, range(2, 4, 6)],
    ['of all of it', { range: range(2, 4, 8), text: 'xyz' }, null],
  ] as const) {
    it(what, () => assert.deepEqual(movedRange(range(2, 4, 8), [change]), expected));
  }

  it('spans the same text, when the edit does not touch it', () => {
    const word = fc.constantFrom('a', 'bc', '\n', ' ', '\r\n', 'é');
    const text = fc.array(word, { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, text, text, fc.boolean(), (before, inserted, between, after, first) => {
        const marked = '<here>';
        const whole = first ? `${before}|${between}${marked}${after}` : `${before}${marked}${between}|${after}`;
        const document = TextDocument.create(URI, 'mmu', 1, whole);
        const at = whole.indexOf(marked);
        const bar = whole.indexOf('|');
        const change = { range: { start: document.positionAt(bar), end: document.positionAt(bar + 1) }, text: inserted };
        const moved = movedRange({ start: document.positionAt(at), end: document.positionAt(at + marked.length) }, [change]);
        const edited = TextDocument.update(document, [change], 2);
        assert.ok(moved);
        assert.equal(edited.getText(moved), marked);
      }),
    );
  });

  it('of the whole text is the one of what differs', () => {
    const text = fc.string({ maxLength: 40, unit: fc.constantFrom('a', 'b', '\n') });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const document = TextDocument.create(URI, 'mmu', 1, before);
        const changes = changesOf(
          [{ text: after }],
          () => before,
          () => after,
        );
        assert.equal(TextDocument.update(document, [...changes], 2).getText(), after);
      }),
    );
  });
});

describe('a text that has not been touched by an edit', () => {
  for (const [what, change, expected] of [
    ['before it on its line', { range: range(2, 0, 1), text: 'abc ' }, range(2, 7, 11)],
    ['that grows into it', { range: range(2, 4, 4), text: 'x' }, null],
    ['of blanks at its very begin', { range: range(2, 4, 4), text: '  ' }, range(2, 6, 10)],
    ['of a letter at its very end', { range: range(2, 8, 8), text: '0' }, null],
    ['of a line at its very end', { range: range(2, 8, 8), text: '\n0' }, range(2, 4, 8)],
    ['in it', { range: range(2, 5, 6), text: 'xyz' }, null],
    ['of something put in', { range: range(2, 6, 6), text: 'x' }, null],
    ['over its end', { range: range(2, 7, 9), text: '' }, null],
    ['of a line above', { range: { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } }, text: '' }, range(1, 4, 8)],
  ] as const) {
    it(what, () => assert.deepEqual(untouchedRange(range(2, 4, 8), [change]), expected));
  }
});

describe('lines before and after edits', () => {
  const put = { range: range(3, 2, 2), text: 'a\nb\n' };
  const removed = { range: { start: { line: 1, character: 4 }, end: { line: 2, character: 4 } }, text: '' };
  it('are found both ways', () => {
    const changes = [put, removed];
    assert.deepEqual([0, 1, 3, 4, 9].map((line) => lineAfter(line, changes)), [0, 1, 2, 5, 10]); // prettier-ignore
    assert.deepEqual([0, 1, 2, 5, 10].map((line) => lineBefore(line, changes)), [0, 1, 3, 4, 9]); // prettier-ignore
  });
});

describe('what a check and a run found', () => {
  const diagnostic = (line: number, code: string): Diagnostic => ({ range: range(line, 2, 6), message: code, code });

  it('moves with edits until the next found something else', () => {
    const carried = new Carried();
    carried.checked(URI, [diagnostic(3, 'slot-overlap')]);
    carried.ran(URI, [diagnostic(5, 'expectation-failed')]);
    const above = [{ range: range(0, 0, 0), text: '\n' }];
    carried.edited(URI, above);
    const lines = () => carried.beside(URI, []).map((each) => `${each.range.start.line} ${each.code}`);
    assert.deepEqual(lines(), ['4 slot-overlap', '6 expectation-failed']);
    carried.checked(URI, []);
    assert.deepEqual(lines(), ['6 expectation-failed']);
    carried.edited(URI, [{ range: { start: { line: 0, character: 0 }, end: { line: 19, character: 0 } }, text: 'b\n'.repeat(9) }]);
    assert.deepEqual(lines(), [], 'it was in what was replaced');
  });

  it('is not told twice', () => {
    const carried = new Carried();
    carried.checked(URI, [diagnostic(3, 'overflow'), diagnostic(4, 'overflow')]);
    assert.deepEqual(carried.beside(URI, [diagnostic(3, 'overflow')]).map(({ range: { start } }) => start.line), [4]); // prettier-ignore
  });

  it('takes places that it names along', () => {
    const carried = new Carried();
    const there = { location: { uri: URI, range: range(1, 0, 3) }, message: 'there' };
    const elsewhere = { location: { uri: 'file:///b.mmu', range: range(1, 0, 3) }, message: 'elsewhere' };
    carried.ran(URI, [{ ...diagnostic(3, 'a'), relatedInformation: [there, elsewhere] }]);
    carried.edited(URI, [{ range: range(0, 0, 0), text: '\n' }]);
    const [{ relatedInformation }] = carried.beside(URI, []);
    assert.deepEqual(relatedInformation?.map(({ location }) => location.range.start.line), [2, 1]); // prettier-ignore
  });
});
