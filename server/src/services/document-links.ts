/** Document links: the file behind each import. */
import type { DocumentLink } from 'vscode-languageserver-types';
import { resolveImport } from '../language/analysis';
import type { Analysis } from '../language/analysis';
import { lspRange } from './places';

export function documentLinks(analysis: Analysis): DocumentLink[] {
  const links: DocumentLink[] = [];
  for (const item of analysis.parsed.tree.items) {
    if (item.kind !== 'import' || !item.path || item.path.value === '') continue;
    const target = resolveImport(item.path.value, analysis.uri);
    if (target !== null) links.push({ range: lspRange(analysis, item.path.range), target, tooltip: 'Open the imported file' });
  }
  return links;
}
