import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DiagnosticSeverity } from 'vscode-languageserver-types';
import { tokensOf } from '../../server/src/language/syntax/scan';
import { openScript } from '../../server/src/api/language';
import { runScript } from '../../server/src/api/engine';
import { codeActions } from '../../server/src/services/code-actions';
import { completion } from '../../server/src/services/completion';
import { definition } from '../../server/src/services/definition';
import { foundDiagnostics, runDiagnostics, textDiagnostics } from '../../server/src/services/diagnostics';
import { hover } from '../../server/src/services/hover';
import { inlayHints } from '../../server/src/services/inlay-hints';
import { documentHighlights, placesOfName, references } from '../../server/src/services/references';
import { signatureHelp } from '../../server/src/services/signature-help';

const SAMPLES = readdirSync('samples', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mmu'));

/** Signs need no explanation. */
const SIGNS = /^[^A-Za-z0-9_#"]+$/;

describe('every sample', () => {
  for (const name of SAMPLES) {
    describe(name, function () {
      this.timeout(60_000);
      const path = join('samples', name);
      const text = readFileSync(path, 'utf8');
      const uri = pathToFileURL(path).href;
      const script = openScript(text, uri, { read: (each) => readFileSync(new URL(each), 'utf8') });
      const { analysis } = script;
      const views = runScript(script, {});
      const tokens = tokensOf(text);

      it('has nothing wrong', () => {
        const all = [
          ...textDiagnostics(analysis),
          ...foundDiagnostics(analysis, script.found),
          ...runDiagnostics(analysis, { views, failure: null }),
        ];
        const found = all.filter(({ severity }) => severity === DiagnosticSeverity.Error);
        assert.deepEqual(found.map(({ range, message }) => `${range.start.line + 1}: ${String(message)}`), []); // prettier-ignore
      });

      it('says something about every word and number', () => {
        const silent = tokens.filter(
          ({ image, startOffset }) => !SIGNS.test(image) && !image.startsWith('"') && !hover(analysis, views, startOffset),
        );
        assert.deepEqual([...new Set(silent.map(({ image }) => image))], []);
      });

      it('is answered at every place', () => {
        for (const { startOffset, image } of tokens) {
          const offset = startOffset + image.length;
          completion(analysis, offset, { snippets: true });
          definition(analysis, offset);
          signatureHelp(analysis, offset, { offsets: true });
          documentHighlights(analysis, offset);
        }
      });

      it('has a definition for every name, which is among its references', () => {
        for (const { startOffset, image } of tokens) {
          if (SIGNS.test(image)) continue;
          const [link] = definition(analysis, startOffset);
          if (!link || link.targetUri !== uri) continue;
          const all = references(placesOfName(analysis, startOffset)!, true);
          assert.ok(all.some(({ range }) => JSON.stringify(range) === JSON.stringify(link.targetRange)));
          assert.ok(all.some(({ range }) => analysis.offsetAt(range.start) === startOffset));
        }
      });

      it('says what its statements came to, each once', () => {
        const range = { start: { line: 0, character: 0 }, end: { line: 100_000, character: 0 } };
        const hints = inlayHints(analysis, views, range, { exits: true }).map(({ hint }) => hint);
        assert.ok(hints.length > 0);
        assert.equal(new Set(hints.map(({ position }) => `${position.line}:${position.character}`)).size, hints.length);
        for (const { position } of hints) codeActions(analysis, script.problems, views, { start: position, end: position }, []);
      });
    });
  }
});
