import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parse } from '../../../server/src/language/syntax/parse';
import { format } from '../../../server/src/language/syntax/print';
import { children, pathAt, walk } from '../../../server/src/language/syntax/tree';
import { anyText, scenario } from './scenarios';
import { withoutRanges } from './without-ranges';

const RUNS = { numRuns: 300 };

function nests(text: string): void {
  const { tree, errors } = parse(text);
  for (const { range } of errors) assert.ok(0 <= range.start && range.start <= range.end && range.end <= text.length);
  for (const node of walk(tree)) {
    let last = node.range.start;
    for (const child of children(node)) {
      assert.ok(child.range.start >= last, `${child.kind} begins before what stands before it in ${node.kind}`);
      assert.ok(child.range.end <= node.range.end && child.range.start <= child.range.end, `${child.kind} outside ${node.kind}`);
      last = child.range.end;
    }
  }
}

describe('syntax: properties', () => {
  it('reads random scenarios without errors', () => {
    fc.assert(
      fc.property(scenario, (text) => {
        const { errors } = parse(text);
        assert.deepEqual(errors.map(({ message, range }) => `${message}: ${text.slice(range.start - 30, range.start)}▷${text.slice(range.start, range.end + 10)}`), []); // prettier-ignore
      }),
      RUNS,
    );
  });

  it('gives a tree for any text, whose nodes nest and keep their order', () => {
    fc.assert(fc.property(anyText, nests), RUNS);
  });

  it('gives what is missing a place', () => {
    for (const missing of [
      'expect events kvm_exit(5,\n EPT_VIOLATION)',
      'expect events kvm_exit(\n reason\n 5)',
      'expect value -\n 5',
      'expect value ~\n x',
    ])
      nests(`run a {\n read + ${missing}\n}\n`);
  });

  it('finds a path at every offset', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { tree } = parse(text);
        for (let offset = 0; offset <= text.length; offset++) {
          const path = pathAt(tree, offset);
          assert.equal(path[0], tree);
          path.slice(1).forEach((node, index) => {
            assert.ok(children(path[index]!).includes(node));
            assert.ok(node.range.start <= offset && offset <= node.range.end);
          });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('prints to the same tree, in a form that stays, with every comment', () => {
    fc.assert(
      fc.property(scenario, (text) => {
        const before = parse(text);
        const printed = format(before);
        assert.ok(printed !== null);
        const after = parse(printed);
        assert.deepEqual(after.errors, []);
        assert.deepEqual(withoutRanges(after.tree), withoutRanges(before.tree));
        assert.deepEqual(comments(after), comments(before));
        assert.equal(format(after), printed);
        assert.equal(/\r\n/.test(printed), /\r\n/.test(text) && /[\r\n]/.test(printed));
        assert.doesNotMatch(printed, /[ \t]\r?\n|\n\r?\n\r?\n|^\r?\n|[^\n]$/);
      }),
      RUNS,
    );
  });
});

function comments({ text, tree }: ReturnType<typeof parse>): string[] {
  return tree.comments.map(({ range }) => text.slice(range.start, range.end).replace(/\s+/g, ' ').trim());
}
