/**
 * Tutorials: their scenarios are files, their consoles show what the command prints. A line `…` stands for lines left out. With
 * UPDATE_DOCS=1 consoles without `…` are written anew, and in those with it nothing is changed.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from '../../server/src/language/syntax/print';
import { mmu, ROOT, write } from '../cli/mmu';

const BLOCK = /^```(mmu file=(?<file>\S+)|console)\n(?<text>[^]*?)^```$/gm;

for (const name of ['tutorial.md']) {
  describe(`docs/${name}`, () => {
    const path = join(ROOT, 'docs', name);
    const document = readFileSync(path, 'utf8');
    const blocks = [...document.matchAll(BLOCK)].map(({ groups }) => groups as { readonly file?: string; readonly text: string });
    const printed = new Map<string, string>();

    before(() => {
      for (const { file, text } of blocks) if (file) write(file, text);
    });

    it('has no other code in it', () => {
      assert.equal(blocks.length, (document.match(/^```/gm) ?? []).length / 2);
    });

    for (const { file, text } of blocks) {
      if (file) {
        it(`${file} is in printed form`, () => assert.equal(format(text), text));
        continue;
      }
      const [command, ...shown] = text.trimEnd().split('\n');
      it(command, () => {
        const { out, err } = run(command);
        printed.set(text, `${command}\n${out}`);
        if (!process.env.UPDATE_DOCS || shown.includes('…')) assertShown(shown, `${err}${out}`.trimEnd().split('\n'));
      });
    }

    after(() => {
      if (!process.env.UPDATE_DOCS) return;
      writeFileSync(path, document.replace(BLOCK, (block, kind: string) => (kind === 'console' ? replaced(block, printed) : block)));
    });
  });
}

/** A console with what was printed now. */
function replaced(block: string, printed: ReadonlyMap<string, string>): string {
  const text = block.slice('```console\n'.length, -3);
  const now = printed.get(text);
  return now === undefined || text.includes('\n…\n') ? block : `\`\`\`console\n${now.trimEnd()}\n\`\`\``;
}

function run(command: string): { readonly out: string; readonly err: string } {
  const words = command.split(' ');
  assert.deepEqual(words.slice(0, 2), ['$', 'mmu']);
  return mmu(words.slice(2));
}

/** Numbers of events and of journal rows, which say nothing to a reader, are not compared. */
const plain = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trimEnd().replace(/ · \d+ events?$/, '').replace(/ +\d+\.\d{6}: /, ' ')); // prettier-ignore

/** `…` matches any lines. */
function assertShown(wanted: readonly string[], printed: readonly string[]): void {
  const [shown, lines] = [plain(wanted), plain(printed)];
  let at = 0;
  for (let i = 0; i < shown.length; i++) {
    if (shown[i] === '…') {
      const next = shown[i + 1];
      at = next === undefined ? lines.length : lines.indexOf(next, at);
      assert.ok(at >= 0, `there is no line ${next}`);
    } else assert.equal(lines[at++], shown[i]);
  }
  assert.equal(at, lines.length, `more is printed: ${lines[at]}`);
}
