import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { code, plainText } from '../../server/src/services/markdown';

/** Everything on that an editor could have on. */
const rendered = (markdown: string): string => new MarkdownIt({ html: true, linkify: true }).render(markdown);

const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Pieces of markup among letters. */
const written = fc
  .array(
    fc.constantFrom(
      'a',
      ' ',
      '[x](http://e)',
      '![x](//e/p.png)',
      'http://e.com',
      'www.e.com',
      'a@e.com',
      '<b>',
      '`',
      '```',
      '#',
      '- ',
      '1. ',
      '|',
      '*',
      '_',
      '&lt;',
      '\\',
      '\n',
      '    ',
      '\t',
      '~~~',
      '=',
    ),
  )
  .map((pieces) => pieces.join(''));

describe('what somebody wrote, in Markdown', () => {
  it('is shown as it stands: no link, no picture, no markup', () =>
    fc.assert(
      fc.property(written, (text) => {
        const paragraphs = rendered(plainText(text));
        assert.doesNotMatch(paragraphs, /<(?!\/?p>|br>)/);
        const lines = (each: string): string[] => each.split(/\s+/).filter((word) => word !== '');
        assert.deepEqual(lines(paragraphs.replace(/<\/?p>|<br>/g, ' ')), lines(html(text)));
      }),
    ));

  it('ends no fence when it is code', () =>
    fc.assert(
      fc.property(written, (text) => {
        assert.match(rendered(code(text)), /^<pre><code class="language-mmu">[^<]*<\/code><\/pre>\n$/);
      }),
    ));

  it('is cut when it is long', () => assert.ok(code('a'.repeat(100_000)).length < 500));
});
