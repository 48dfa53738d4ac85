/** Signature help at every place of samples and documented examples: within a statement there is a form, and the part at the place holds the token there. */
import { strict as assert } from 'node:assert';

import type { SignatureHelp } from 'vscode-languageserver-types';
import { analyze } from '../../server/src/language/analysis';
import type { Analysis } from '../../server/src/language/analysis';
import { itemKindOf } from '../../server/src/language/kinds';
import { tokensOf } from '../../server/src/language/syntax/scan';
import type { Token } from '../../server/src/language/syntax/tokens';
import { children, pathAt } from '../../server/src/language/syntax/tree';
import type { Node } from '../../server/src/language/syntax/tree';
import { signatureHelp } from '../../server/src/services/signature-help';
import { documented, samples } from '../support/examples';

describe('signature help at the places of samples and documented examples', function () {
  this.timeout(120_000);
  /** Looks at one token of so many. */
  const EVERY = 23;

  it('shows a form, and the part that holds the token at the place', () => {
    let index = 0;
    let places = 0;
    const wrong: string[] = [];
    for (const { name, uri, text } of [...samples(), ...documented()]) {
      const analysis = analyze(text, uri, { read: () => null });
      const beginnings = itemBeginnings(analysis);
      const tokens = tokensOf(text);
      tokens.forEach((token, at) => {
        const { image, startOffset } = token;
        if (index++ % EVERY !== 0 || beginnings.has(startOffset) || image === '}') return;
        const before = tokens[at - 1];
        const touches = before && WORD.test(before.image) && before.startOffset + before.image.length === startOffset;
        if (touches && beginnings.has(before.startOffset)) return;
        // Behind a word the place is that word's; behind a sign it is what comes.
        const looked: [offset: number, tokens: Token[]][] = [[startOffset, touches ? [before, token] : [token]]];
        if (WORD.test(image)) looked.push([startOffset + image.length, [token]]);
        for (const [offset, beside] of looked) {
          places++;
          const help = signatureHelp(analysis, offset, { offsets: true });
          const why = whyWrong(help, beside.map((each) => each.image), beside.some((each) => isValue(analysis, each.startOffset))); // prettier-ignore
          if (why) wrong.push(`${name}: ${text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset)}| ${image}: ${why}`);
        }
      });
    }
    assert.ok(places > 500, `${places} places`);
    assert.deepEqual(wrong, []);
  });

  it('shows none where a statement, a declaration or an item of tables is to begin', () => {
    for (const { uri, text } of samples()) {
      for (const line of text.matchAll(/^(?:[a-z].*|[ ]*(?:run|vm|tables|on fault|for) .*)\{\r?\n( *)/gm)) {
        const offset = line.index + line[0].length;
        if (/^\s*(?:host|budget|slot|vcpu)\b/.test(line[0])) continue;
        const head = text.slice(0, offset);
        const found = signatureHelp(analyze(head, uri, { read: () => null }), offset, { offsets: true });
        assert.equal(found?.signatures[0].label ?? null, null, line[0]);
      }
    }
  });
});

const WORD = /^(?:[#\w-]+|[0-9]+\.[0-9]+)$/;

/** Where items begin that are not told with what they belong to, as settings of a slot are. */
function itemBeginnings({ parsed }: Analysis): Set<number> {
  const found = new Set<number>();
  const look = (node: Node, around: Node | null): void => {
    const isTold = node.kind === 'setting' && around?.kind !== 'vm';
    if (!isTold && (itemKindOf(node) !== null || node.kind === 'file')) found.add(node.range.start);
    for (const inner of children(node)) look(inner, node.kind === 'body' ? around : node);
  };
  look(parsed.tree, null);
  return found;
}

/** A value or a name, or a part of one: forms do not have it as a word. */
function isValue({ parsed }: Analysis, offset: number): boolean {
  const path = pathAt(parsed.tree, offset + 1);
  return path.some(({ kind }) => VALUES.has(kind));
}

const VALUES: ReadonlySet<string> = new Set([
  'number', 'switch', 'name', 'reference', 'definition', 'text', 'unary', 'binary', 'parenthesized', 'event',
]); // prettier-ignore

/** What stands for things that have forms of their own, or for too many words. */
const STANDS_FOR = /<(?:expectation|statement|act|event|exit reason)>/;

function whyWrong(help: SignatureHelp | null, images: readonly string[], isValue: boolean): string | null {
  const signature = help?.signatures[help.activeSignature ?? 0];
  if (!signature) return 'none';
  const label = signature.parameters?.[signature.activeParameter ?? 0]?.label;
  const part = typeof label === 'string' ? label : label && signature.label.slice(...label);
  if (part === undefined) return `no part of ${signature.label}`;
  const words = part.split(/[ .()[\]<>"?*+|]+/);
  const isThere = images.some(
    (image) => words.includes(image) || part.includes(` ${image} `) || (/^\W/.test(image) && part.includes(image)),
  );
  const stands = isValue ? /<[^<>]+>|"/.test(part) || !/[<"]/.test(signature.label) : STANDS_FOR.test(part);
  return isThere || stands ? null : `${part} of ${signature.label}`;
}
