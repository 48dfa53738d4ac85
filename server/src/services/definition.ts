/** Definition of a name, and the file of an import. */
import type { LocationLink } from 'vscode-languageserver-types';
import { resolveImport } from '../language/analysis';
import type { Analysis } from '../language/analysis';
import { pathAt } from '../language/syntax/tree';
import { nameAt } from './names';
import { lspRange } from './places';

export function definition(analysis: Analysis, offset: number): LocationLink[] {
  const name = nameAt(analysis, offset);
  if (name) {
    const target = analysis.locate(name.uri, name.definition.range);
    return [link(target.uri, target.range, lspRange(analysis, name.range))];
  }
  const at = pathAt(analysis.parsed.tree, offset).find((node) => node.kind === 'import');
  if (at?.kind !== 'import' || !at.path || offset < at.path.range.start) return [];
  const uri = resolveImport(at.path.value, analysis.uri);
  const start = { line: 0, character: 0 };
  return uri === null ? [] : [link(uri, { start, end: start }, lspRange(analysis, at.path.range))];
}

function link(
  targetUri: string,
  range: LocationLink['targetRange'],
  originSelectionRange: LocationLink['originSelectionRange'],
): LocationLink {
  return { targetUri, targetRange: range, targetSelectionRange: range, originSelectionRange };
}
