/**
 * What a document's own words may open: files in the workspace's folders, or, where there is none, beside and below the document. In a
 * workspace that the user does not trust, scenarios alone. Only places are looked at here, not files; whoever reads follows links.
 */
import type { NotOpened } from '../language/analysis';

/** `import` reads a scenario, `load` any bytes. */
type Opening = 'import' | 'load';

export class Allowed {
  /**
   * @param workspace URIs of the workspace's folders
   * @param trusted the user trusts what is in them
   */
  constructor(
    public workspace: readonly string[],
    public trusted: boolean,
  ) {}

  /** URIs, without `/` at their end, of the folders that a document may read from. */
  folders(document: string): readonly string[] {
    if (this.workspace.length === 0) return [document.slice(0, document.lastIndexOf('/'))];
    return this.workspace.map((folder) => folder.replace(/\/+$/, ''));
  }

  isInside(uri: string, document: string): boolean {
    const place = spelled(uri);
    return this.folders(document)
      .map(spelled)
      .some((folder) => place === folder || place.startsWith(`${folder}/`));
  }

  /** Why a document may not open a file; null: it may. */
  refusal(uri: string, document: string, opening: Opening): NotOpened | null {
    const why = this.why(uri, document, opening);
    return why === null ? null : { notOpened: why };
  }

  private why(uri: string, document: string, opening: Opening): string | null {
    if (!this.isInside(uri, document))
      return this.workspace.length > 0
        ? 'lies outside the workspace'
        : 'lies outside the folder of this scenario, and no workspace is open';
    if (this.trusted) return null;
    if (opening === 'load') return 'is not loaded in Restricted Mode';
    return uri.endsWith('.mmu') ? null : 'is not imported in Restricted Mode: it is no .mmu file';
  }
}

/** Editors differ in which characters of a URI they encode. */
function spelled(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}
