/** Names defined in the open files, by a part of the name. */
import { SymbolKind } from 'vscode-languageserver-types';
import type { WorkspaceSymbol } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import type { DefinitionOf } from '../language/syntax/tree';
import { walk } from '../language/syntax/tree';

const KINDS: { readonly [of in DefinitionOf]: SymbolKind | null } = {
  const: SymbolKind.Constant,
  block: SymbolKind.Function,
  vm: SymbolKind.Class,
  vcpu: SymbolKind.Object,
  tables: SymbolKind.Struct,
  loop: null,
  parameter: null,
};

export function workspaceSymbols(analyses: readonly Analysis[], query: string, limit = 500): WorkspaceSymbol[] {
  const wanted = query.toLowerCase();
  const found: WorkspaceSymbol[] = [];
  for (const analysis of analyses) {
    for (const node of walk(analysis.parsed.tree)) {
      if (found.length === limit) return found;
      if (node.kind !== 'definition' || !node.text.toLowerCase().includes(wanted)) continue;
      const kind = KINDS[node.of];
      if (kind !== null) found.push({ name: node.text, kind, location: analysis.locate(analysis.uri, node.range) });
    }
  }
  return found;
}
