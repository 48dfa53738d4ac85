/** The outline of a document: machines with their parts, blocks, and runs with their statements. */
import { SymbolKind } from 'vscode-languageserver-types';
import type { DocumentSymbol } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import type { Outliner, OutlineSymbol } from '../language/kind';
import { itemKindOf } from '../language/kinds';
import type { Node } from '../language/syntax/tree';
import { lspRange } from './places';

export function documentSymbols(analysis: Analysis): DocumentSymbol[] {
  return symbolsOf(analysis, analysis.parsed.tree.items);
}

const SYMBOLS: { readonly [means in OutlineSymbol]: SymbolKind } = {
  file: SymbolKind.File,
  constant: SymbolKind.Constant,
  module: SymbolKind.Module,
  vm: SymbolKind.Class,
  field: SymbolKind.Field,
  struct: SymbolKind.Struct,
  object: SymbolKind.Object,
  function: SymbolKind.Function,
  run: SymbolKind.Event,
  group: SymbolKind.Namespace,
  act: SymbolKind.Method,
};

function symbolsOf(analysis: Analysis, nodes: readonly Node[]): DocumentSymbol[] {
  const symbols: DocumentSymbol[] = [];
  const outliner: Outliner = {
    text: (part) => (part ? oneLine(analysis.parsed.text.slice(part.range.start, part.range.end)) : ''),
    entry: (node) => itemKindOf(node)?.outline(node, outliner) ?? null,
  };
  for (const node of nodes) {
    const entry = outliner.entry(node);
    if (!entry) continue;
    const range = lspRange(analysis, node.range);
    symbols.push({
      name: entry.name || '…',
      detail: entry.detail,
      kind: SYMBOLS[entry.symbol],
      range,
      selectionRange: entry.at ? lspRange(analysis, entry.at.range) : { start: range.start, end: range.start },
      children: entry.inner ? symbolsOf(analysis, entry.inner) : [],
    });
  }
  return symbols;
}

function oneLine(text: string): string {
  const line = text.replace(/\/\/[^\n]*/g, '').replace(/\s+/g, ' ').trim(); // prettier-ignore
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}
