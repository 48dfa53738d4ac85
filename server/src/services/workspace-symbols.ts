/** Names defined in the workspace, by a part of the name, file by file. */
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

/** Names of a file with the query in them, `most` at most. */
export function symbolsOf(analysis: Analysis, query: string, most: number): WorkspaceSymbol[] {
  const wanted = query.toLowerCase();
  const found: WorkspaceSymbol[] = [];
  for (const node of walk(analysis.parsed.tree)) {
    if (found.length >= most) break;
    if (node.kind !== 'definition' || !node.text.toLowerCase().includes(wanted)) continue;
    const kind = KINDS[node.of];
    if (kind !== null) found.push({ name: node.text, kind, location: analysis.locate(analysis.uri, node.range) });
  }
  return found;
}

/** Whether a text may have such a name. */
export function mayDefine(text: string, query: string): boolean {
  return text.toLowerCase().includes(query.toLowerCase());
}
