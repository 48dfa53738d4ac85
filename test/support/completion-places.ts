/**
 * What completion is worth: at every place between two tokens of scenarios that are right, whether the word that follows is
 * offered, and how much of what is offered the parser refuses there.
 *
 * An offered text is refused if the parser, given the text up to the place, what the item inserts, and what closes the open
 * brackets, reports anything before the end of that insertion: what is missing behind it (a value, a brace) is still to be typed.
 */
import { InsertTextFormat } from 'vscode-languageserver-types';
import type { CompletionItem, TextEdit } from 'vscode-languageserver-types';
import { analyze } from '../../server/src/language/analysis';
import type { Analysis } from '../../server/src/language/analysis';
import { parse } from '../../server/src/language/syntax/parse';
import { tokensOf } from '../../server/src/language/syntax/scan';
import { walk } from '../../server/src/language/syntax/tree';
import { completion } from '../../server/src/services/completion';
import { closing } from '../../server/src/services/completion/way';
import type { Scenario } from './examples';

export interface Measured {
  /** Places with a word of the language or a name behind them, names that are being defined left out. */
  places: number;
  offered: number;
  /** Items offered at all places that were looked at, those without a word behind them too. */
  items: number;
  refused: number;
  /** As `file:line:column word`, with the line up to the place. */
  readonly missing: string[];
  readonly wrong: string[];
}

const WORD = /^(?:#?[A-Za-z_]\w*|32-bit|[45]-level)$/;

/**
 * @param every looks at one place of so many, evenly
 * @param typing the rest of the place's line is not there yet
 */
export function measure(scenarios: readonly Scenario[], every: number, typing = false): Measured {
  const measured: Measured = { places: 0, offered: 0, items: 0, refused: 0, missing: [], wrong: [] };
  let index = 0;
  for (const { name, uri, text } of scenarios) {
    const whole = analyze(text, uri, { read: () => null });
    const defined = definitions(whole);
    for (const { image, startOffset } of tokensOf(text)) {
      if (index++ % every !== 0) continue;
      const behind = typing ? text.slice(startOffset).replace(/^[^\r\n]*/, '') : text.slice(startOffset);
      const analysis = typing ? analyze(text.slice(0, startOffset) + behind, uri, { read: () => null }) : whole;
      const items = completion(analysis, startOffset, { snippets: true }).items;
      const where = (what: string): string => `${name}:${placeOf(text, startOffset)} ${what}`;
      if (WORD.test(image) && !defined.has(startOffset)) {
        measured.places++;
        if (items.some(({ label }) => label === image || label.startsWith(`${image}.`))) measured.offered++;
        else measured.missing.push(where(image));
      }
      const from = whole.parsed.tree.items.filter(({ range }) => range.start < startOffset).at(-1)?.range.start ?? 0;
      for (const item of items) {
        measured.items++;
        const start = analysis.offsetAt((item.textEdit as TextEdit).range.start);
        const sign = start < startOffset ? (/^[[(:.]/.exec(behind)?.[0] ?? '') : '';
        const why = refusal(text.slice(from, start), insertion(item), sign);
        if (why === null) continue;
        measured.refused++;
        measured.wrong.push(where(`${item.label}: ${why}`));
      }
    }
  }
  return measured;
}

/** Offsets of names where they are defined. */
function definitions({ parsed }: Analysis): Set<number> {
  const found = new Set<number>();
  for (const node of walk(parsed.tree)) if (node.kind === 'definition') found.add(node.range.start);
  return found;
}

/** What the editor inserts, with the defaults of a snippet's fields; up to the first that is empty and still to be filled in. */
export function insertion({ label, textEdit, insertTextFormat }: CompletionItem): string {
  const text = textEdit?.newText ?? label;
  if (insertTextFormat !== InsertTextFormat.Snippet) return text;
  return text
    .replace(/\$[1-9]\d*(?![^]*\$\{)[^]*$/, '')
    .replace(/\$\{\d+\|([^,|]*)[^}]*\|\}/g, '$1')
    .replace(/\$\{\d+:([^}]*)\}/g, '$1')
    .replace(/\$\{?\d+\}?/g, '')
    .replace(/\\(.)/g, '$1');
}

/** `behind`: the sign that the text has there already, as the bracket after a name. */
function refusal(before: string, inserted: string, behind: string): string | null {
  const end = before.length + inserted.trimEnd().length;
  const text = before + inserted + behind;
  const found = parse(text + closing(text)).errors.find(({ range }) => range.start < end);
  return found?.message ?? null;
}

function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${lines.at(-1)!.length + 1} \`${lines.at(-1)!.trim()}\``;
}

export function share(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(2)} % (${part} of ${whole})`;
}
