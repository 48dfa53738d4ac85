/** References to a name, and their highlights in one file. */
import { DocumentHighlightKind } from 'vscode-languageserver-types';
import type { DocumentHighlight, Location } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { nameAt, placesOf } from './names';

/** @param others analyses of other files, which may import this one */
export function references(analysis: Analysis, offset: number, includeDeclaration: boolean, others: readonly Analysis[]): Location[] {
  const name = nameAt(analysis, offset);
  if (!name) return [];
  return placesOf(name, analysis, others)
    .filter((place) => includeDeclaration || !place.definition)
    .map(({ uri, range }) => ({ uri, range }));
}

export function documentHighlights(analysis: Analysis, offset: number): DocumentHighlight[] {
  const name = nameAt(analysis, offset);
  if (!name) return [];
  return placesOf(name, analysis)
    .filter(({ uri }) => uri === analysis.uri)
    .map(({ range, definition }) => ({ range, kind: definition ? DocumentHighlightKind.Write : DocumentHighlightKind.Read }));
}
