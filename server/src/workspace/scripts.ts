/** Open documents as analyses: one a version of the text and of every file that it imports, made when asked for. */
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { analyze } from '../language/analysis';
import type { Analysis } from '../language/analysis';
import type { Files } from './files';

/** A document's text at a version, understood. */
export interface Script {
  readonly uri: string;
  readonly version: number;
  readonly analysis: Analysis;
}

interface Kept {
  readonly script: Script;
  /** Texts of the other files as the analysis saw them. */
  readonly read: ReadonlyMap<string, string | null>;
}

/** Times that an analysis is made again for files which it turned out to need. */
const MOST_ROUNDS = 32;

export class Scripts {
  private readonly kept = new Map<string, Kept>();

  /** @param open the open document of a URI */
  constructor(
    private readonly open: (uri: string) => TextDocument | undefined,
    private readonly files: Files,
  ) {}

  /** The analysis of an open document as it is now, its imports read; null when it is not open. */
  async get(uri: string): Promise<Script | null> {
    for (let round = 0; ; round++) {
      const document = this.open(uri);
      if (!document) return null;
      const missing = this.bringUpToDate(document);
      if (missing.length === 0 || round === MOST_ROUNDS) return this.kept.get(uri)!.script;
      await Promise.all(missing.map((each) => this.files.read(each)));
    }
  }

  /** The last analysis made of a document, which may be older than its text. */
  last(uri: string): Script | null {
    return this.kept.get(uri)?.script ?? null;
  }

  /** Open documents whose last analysis looked at a file, whether it was there or not. */
  importersOf(uri: string): string[] {
    return [...this.kept].filter(([importer, { read }]) => importer !== uri && read.has(uri)).map(([importer]) => importer);
  }

  close(uri: string): void {
    this.kept.delete(uri);
  }

  /** Analyses a document unless its analysis is still right; gives the files that must be read first. */
  private bringUpToDate(document: TextDocument): string[] {
    const { uri, version } = document;
    const kept = this.kept.get(uri);
    if (kept && kept.script.version === version && [...kept.read].every(([other, text]) => this.textOf(other) === text)) return [];
    const read = new Map<string, string | null>();
    const missing: string[] = [];
    const analysis = analyze(document.getText(), uri, {
      read: (other) => {
        const text = this.textOf(other);
        if (text === undefined && !missing.includes(other)) missing.push(other);
        read.set(other, text ?? null);
        return text ?? null;
      },
    });
    this.kept.set(uri, { script: { uri, version, analysis }, read });
    return missing;
  }

  /** The open document's text before the file's; undefined when the file was not read yet. */
  private textOf(uri: string): string | null | undefined {
    return this.open(uri)?.getText() ?? this.files.get(uri);
  }
}
