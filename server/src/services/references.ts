/** References to a name, and their highlights in one file. */
import { DocumentHighlightKind } from 'vscode-languageserver-types';
import type { DocumentHighlight, Location } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { nameAt, NamePlaces } from './names';

/** The places of the name at an offset, those in other files to be added; null when there is none. */
export function placesOfName(analysis: Analysis, offset: number): NamePlaces | null {
  const name = nameAt(analysis, offset);
  return name && new NamePlaces(name, analysis);
}

export function references(places: NamePlaces, includeDeclaration: boolean): Location[] {
  return places.all.filter((place) => includeDeclaration || !place.definition).map(({ uri, range }) => ({ uri, range }));
}

export function documentHighlights(analysis: Analysis, offset: number): DocumentHighlight[] {
  const places = placesOfName(analysis, offset)?.in(analysis.uri) ?? [];
  return places.map(({ range, definition }) => ({ range, kind: definition ? DocumentHighlightKind.Write : DocumentHighlightKind.Read }));
}
