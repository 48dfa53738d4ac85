/** The outline of a document: machines with their parts, blocks, and runs with their statements. */
import { SymbolKind } from 'vscode-languageserver-types';
import type { DocumentSymbol } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import type { Node } from '../language/syntax/tree';
import { runHead, lspRange } from './places';

export function documentSymbols(analysis: Analysis): DocumentSymbol[] {
  return symbolsOf(analysis, analysis.parsed.tree.items);
}

interface Entry {
  readonly name: string;
  readonly detail?: string;
  readonly kind: SymbolKind;
  /** The name's own place, when it has one. */
  readonly at?: Node | null;
  readonly inner?: readonly Node[];
}

function symbolsOf(analysis: Analysis, nodes: readonly Node[]): DocumentSymbol[] {
  const symbols: DocumentSymbol[] = [];
  for (const node of nodes) {
    const entry = entryOf(analysis, node);
    if (!entry) continue;
    const range = lspRange(analysis, node.range);
    symbols.push({
      name: entry.name || '…',
      detail: entry.detail,
      kind: entry.kind,
      range,
      selectionRange: entry.at ? lspRange(analysis, entry.at.range) : { start: range.start, end: range.start },
      children: entry.inner ? symbolsOf(analysis, entry.inner) : [],
    });
  }
  return symbols;
}

function entryOf(analysis: Analysis, node: Node): Entry | null {
  const source = (part: { readonly range: { readonly start: number; readonly end: number } } | null): string =>
    part ? oneLine(analysis.parsed.text.slice(part.range.start, part.range.end)) : '';
  switch (node.kind) {
    case 'import':
      return { name: `import ${source(node.path)}`, kind: SymbolKind.File, at: node.path };
    case 'const':
      return { name: node.name?.text ?? 'const', detail: source(node.value), kind: SymbolKind.Constant, at: node.name };
    case 'host':
      return { name: 'host', kind: SymbolKind.Module, inner: [] };
    case 'budget':
      return { name: 'budget', kind: SymbolKind.Module, inner: [] };
    case 'vm':
      return { name: node.name?.text ?? 'vm', detail: 'vm', kind: SymbolKind.Class, at: node.name, inner: node.body?.items };
    case 'slot':
      return { name: `slot ${source(node.id)}`, detail: settingsText(node.body?.items, source), kind: SymbolKind.Field, at: node.id };
    case 'tables':
      return {
        name: node.name?.text ?? 'tables',
        detail: node.format ? `tables ${node.format.text}` : 'tables',
        kind: SymbolKind.Struct,
        at: node.name,
      };
    case 'vcpu':
      return { name: node.name ? `vcpu ${node.name.text}` : 'vcpu', kind: SymbolKind.Object, at: node.name };
    case 'block': {
      const detail = `(${node.parameters.map(({ text }) => text).join(', ')})`;
      return { name: node.name?.text ?? 'block', detail, kind: SymbolKind.Function, at: node.name, inner: node.body?.items };
    }
    case 'run':
      return { name: source({ range: runHead(node) }), kind: SymbolKind.Event, inner: node.body?.items };
    case 'performed':
      return node.body
        ? {
            name: source({ range: { start: node.range.start, end: node.body.range.start } }),
            kind: SymbolKind.Namespace,
            inner: node.body.items,
          }
        : entryOf(analysis, node.statement ?? { kind: 'error', range: node.range });
    case 'for':
    case 'under-statement': {
      const end = node.body?.range.start ?? node.range.end;
      return { name: source({ range: { start: node.range.start, end } }), kind: SymbolKind.Namespace, inner: node.body?.items };
    }
    case 'host-acts':
      return node.act
        ? { name: source(node), kind: SymbolKind.Method }
        : { name: 'host', kind: SymbolKind.Namespace, inner: node.body?.items };
    case 'access':
    case 'edit':
    case 'register-load':
    case 'invalidate':
    case 'enter':
    case 'call':
    case 'host-act':
    case 'memory-word': {
      const end = ('handler' in node ? node.handler?.range.start : undefined) ?? node.expects[0]?.range.start ?? node.range.end;
      return { name: source({ range: { start: node.range.start, end } }), kind: SymbolKind.Method };
    }
    default:
      return null;
  }
}

/** `gpa 0 · size 16M`, of a slot. */
function settingsText(items: readonly Node[] | undefined, source: (node: Node) => string): string {
  return (items ?? [])
    .filter((item) => item.kind === 'setting' && ['gpa', 'size'].includes(item.name.text))
    .map(source)
    .join(' · ');
}

function oneLine(text: string): string {
  const line = text.replace(/\/\/[^\n]*/g, '').replace(/\s+/g, ' ').trim(); // prettier-ignore
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}
