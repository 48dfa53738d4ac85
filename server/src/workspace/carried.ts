/**
 * What the last check and the last run of open documents found, moved with edits until the next ones have come: so nothing
 * vanishes that comes back a moment later.
 */
import type { Diagnostic, DiagnosticRelatedInformation } from 'vscode-languageserver-types';
import { movedRange } from './moves';
import type { Change } from './moves';

interface Found {
  readonly checked: readonly Diagnostic[];
  readonly ran: readonly Diagnostic[];
}

const NOTHING: Found = { checked: [], ran: [] };

export class Carried {
  private readonly found = new Map<string, Found>();

  checked(uri: string, checked: readonly Diagnostic[]): void {
    this.found.set(uri, { ...this.of(uri), checked });
  }

  ran(uri: string, ran: readonly Diagnostic[]): void {
    this.found.set(uri, { ...this.of(uri), ran });
  }

  closed(uri: string): void {
    this.found.delete(uri);
  }

  /** All of a document, those left out that are among its fresh ones. */
  beside(uri: string, fresh: readonly Diagnostic[]): Diagnostic[] {
    const known = new Set(fresh.map(keyOf));
    const { checked, ran } = this.of(uri);
    return [...checked, ...ran].filter((each) => !known.has(keyOf(each)));
  }

  /** A document was edited. */
  edited(uri: string, changes: readonly Change[]): void {
    const found = this.found.get(uri);
    if (!found || found.checked.length + found.ran.length === 0) return;
    const moved = (list: readonly Diagnostic[]): Diagnostic[] => list.flatMap((each) => movedDiagnostic(uri, each, changes) ?? []);
    this.found.set(uri, { checked: moved(found.checked), ran: moved(found.ran) });
  }

  private of(uri: string): Found {
    return this.found.get(uri) ?? NOTHING;
  }
}

function movedDiagnostic(uri: string, diagnostic: Diagnostic, changes: readonly Change[]): Diagnostic | null {
  const range = movedRange(diagnostic.range, changes);
  if (!range) return null;
  const { relatedInformation } = diagnostic;
  return { ...diagnostic, range, ...(relatedInformation && { relatedInformation: relatedInformation.flatMap(related) }) };

  function related(each: DiagnosticRelatedInformation): DiagnosticRelatedInformation[] {
    if (each.location.uri !== uri) return [each];
    const place = movedRange(each.location.range, changes);
    return place ? [{ ...each, location: { uri, range: place } }] : [];
  }
}

function keyOf({ range: { start, end }, code }: Diagnostic): string {
  return `${start.line}:${start.character}:${end.line}:${end.character}:${code}`;
}
