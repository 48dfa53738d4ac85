/**
 * What completion is worth: at every place between two tokens of scenarios that are right, whether the word that follows is
 * offered, and how much of what is offered the parser refuses there.
 *
 * An offered text is refused if the parser, given the text up to the place and what the item inserts, reports anything before
 * the end of that insertion, or within it: what is only missing behind it (a value, a brace) is still to be typed.
 */
import { InsertTextFormat } from 'vscode-languageserver-types';
import type { CompletionItem } from 'vscode-languageserver-types';
import { analyze } from '../../server/src/language/analysis';
import type { Analysis } from '../../server/src/language/analysis';
import { parse } from '../../server/src/language/syntax/parse';
import { tokenize } from '../../server/src/language/syntax/tokens';
import { walk } from '../../server/src/language/syntax/tree';
import { completion } from '../../server/src/services/completion';
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

/** @param every looks at one place of so many, evenly */
export function measure(scenarios: readonly Scenario[], every: number): Measured {
  const measured: Measured = { places: 0, offered: 0, items: 0, refused: 0, missing: [], wrong: [] };
  let index = 0;
  for (const { name, uri, text } of scenarios) {
    const analysis = analyze(text, uri, { read: () => null });
    const defined = definitions(analysis);
    const tops = topLevel(analysis);
    for (const { image, startOffset } of tokenize(text).tokens) {
      if (index++ % every !== 0) continue;
      const items = completion(analysis, startOffset, { snippets: true }).items;
      const where = (what: string): string => `${name}:${placeOf(text, startOffset)} ${what}`;
      if (WORD.test(image) && !defined.has(startOffset)) {
        measured.places++;
        if (items.some(({ label }) => label === image || label.startsWith(`${image}.`) || label.startsWith(`${image} `)))
          measured.offered++;
        else measured.missing.push(where(image));
      }
      const from = Math.max(0, ...tops.filter((start) => start < startOffset));
      const before = text.slice(from, startOffset);
      for (const item of items) {
        measured.items++;
        const why = refusal(before, insertion(item));
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

function topLevel({ parsed }: Analysis): number[] {
  return parsed.tree.items.map(({ range }) => range.start);
}

/** What the editor inserts, with the defaults of a snippet's fields. */
export function insertion({ label, textEdit, insertTextFormat }: CompletionItem): string {
  const text = textEdit?.newText ?? label;
  if (insertTextFormat !== InsertTextFormat.Snippet) return text;
  return text
    .replace(/\$\{\d+\|([^,|]*)[^}]*\|\}/g, '$1')
    .replace(/\$\{\d+:([^}]*)\}/g, '$1')
    .replace(/\$\{?\d+\}?/g, '')
    .replace(/\\(.)/g, '$1');
}

function refusal(before: string, inserted: string): string | null {
  const end = before.length + inserted.trimEnd().length;
  const found = parse(before + inserted).errors.find(({ range, code }) => range.start < end && code !== 'expected-close');
  return found?.message ?? null;
}

function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `${lines.length}:${lines.at(-1)!.length + 1} \`${lines.at(-1)!.trim()}\``;
}

export function share(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(2)} % (${part} of ${whole})`;
}
