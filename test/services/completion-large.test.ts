import { strict as assert } from 'node:assert';
import { analyze } from '../../server/src/language/analysis';
import { tokensOf } from '../../server/src/language/syntax/scan';
import { completion } from '../../server/src/services/completion';
import { excerpt } from '../../server/src/services/completion/excerpt';
import { samples } from '../support/examples';
import { opened } from '../support/scripts';

describe('completion of large files', () => {
  it('looks at the last items of each body alone, and offers the same', () => {
    for (const { text, uri, name } of samples()) {
      const analysis = analyze(text, uri, { read: () => null });
      tokensOf(text).forEach(({ startOffset }, index) => {
        if (index % 25 !== 0) return;
        const labels = (kept: number): string[] =>
          completion(analysis, startOffset, { snippets: true, kept }).items.map(({ label }) => label);
        assert.deepEqual(labels(3), labels(Infinity), `${name} at ${startOffset}`);
      });
    }
  }).timeout(60_000);

  it('what it looks at does not grow with the file', () => {
    const many = (count: number, line: string): string => Array.from({ length: count }, () => line).join('\n');
    const file = (count: number): string =>
      `${many(count, 'const a = 1')}\nvm g {\n${many(count, '  word 0 = 1')}\n}\nrun g {\n${many(count, '  read 1')}\n  for i in 0 .. 1 {\n${many(count, '    read 2')}\n    read <|>\n  }\n}\n`;
    const kept = (count: number): string => {
      const { analysis, cursor } = opened(file(count));
      return excerpt(analysis.parsed, cursor);
    };
    assert.equal(kept(2000), kept(100));
    assert.match(kept(100), /^run g \{\nfor i in 0 \.\. 1 \{\n {4}read 2\n/);
  });

  it('keeps what is not whole', () => {
    const { analysis, cursor } = opened(`run g {\n${'  read 1\n'.repeat(50)}  read 0x1000 expect ok,\n    <|>\n}\n`);
    assert.match(excerpt(analysis.parsed, cursor, 1), /read 0x1000 expect ok,\n {4}$/);
  });
});
