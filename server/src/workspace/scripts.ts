/** Documents as analyses: one a version of the text and of every file that it imports, made when asked for. */
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { analyze } from '../language/analysis';
import type { Analysis } from '../language/analysis';
import { contentOf, isNotOpened } from '../language/analysis';
import type { Found } from '../language/analysis';
import type { Allowed } from './allowed';
import type { Files } from './files';

/** A document's text at a version, understood. */
export interface Script {
  readonly uri: string;
  /** 0 for a file that is not open. */
  readonly version: number;
  readonly analysis: Analysis;
  /** Texts of the other files as the analysis saw them. */
  readonly texts: ReadonlyMap<string, Found<string>>;
  /** Contents of the files that it loads. */
  readonly files: ReadonlyMap<string, Found<Uint8Array>>;
}

interface Kept {
  readonly text: string;
  readonly script: Script;
}

/** Analyses of files that are not open, and characters of their texts, that are kept at most; beyond them the oldest go. */
const MOST_CLOSED = 50;
const MOST_CLOSED_TEXT = 2_000_000;

/** Times that an analysis is made again for files which it turned out to need. */
const MOST_ROUNDS = 32;

export class Scripts {
  private readonly kept = new Map<string, Kept>();

  /** @param open the open document of a URI */
  constructor(
    private readonly open: (uri: string) => TextDocument | undefined,
    private readonly files: Files,
    /** Files that are loaded into memory. */
    private readonly dumps: Files<Uint8Array>,
    private readonly allowed: Allowed,
  ) {}

  /** The analysis of an open document as it is now, its imports read; null when it is not open. */
  async get(uri: string): Promise<Script | null> {
    return this.open(uri) ? this.understand(uri) : null;
  }

  /** Text of a document, or of a file that is not open; null when there is none. */
  async text(uri: string): Promise<string | null> {
    if (this.textOf(uri) === undefined) await this.files.read(uri, uri);
    return contentOf(this.textOf(uri) ?? null);
  }

  /** The analysis of a document, or of a file that is not open; null when there is none. */
  async getFile(uri: string): Promise<Script | null> {
    await this.text(uri);
    return this.understand(uri);
  }

  /** Open documents whose last analysis looked at a file, whether it was there or not. */
  importersOf(uri: string): string[] {
    return [...this.kept]
      .filter(([importer, { script }]) => importer !== uri && script.texts.has(uri) && this.open(importer))
      .map(([each]) => each);
  }

  close(uri: string): void {
    this.kept.delete(uri);
  }

  private async understand(uri: string): Promise<Script | null> {
    for (let round = 0; ; round++) {
      const text = contentOf(this.textOf(uri) ?? null);
      if (text === null) return null;
      const missing = this.bringUpToDate(uri, text);
      if (missing.length === 0 || round === MOST_ROUNDS) return this.kept.get(uri)!.script;
      await Promise.all(missing);
    }
  }

  /** Analyses a text unless its analysis is still right; gives what must be read first, as it is being read. */
  private bringUpToDate(uri: string, text: string): Promise<void>[] {
    const version = this.open(uri)?.version ?? 0;
    const kept = this.kept.get(uri);
    const fresh = kept && kept.script.version === version && kept.text === text;
    const seenStill = (): boolean =>
      [...kept!.script.texts].every(([other, seen]) => isSame(this.imported(other, uri), seen)) &&
      [...kept!.script.files].every(([other, seen]) => isSame(this.loaded(other, uri), seen));
    if (fresh && seenStill()) return [];
    const texts = new Map<string, Found<string>>();
    const missing = new Set<string>();
    const missingDumps = new Set<string>();
    const analysis = analyze(text, uri, {
      read: (other) => {
        const found = this.imported(other, uri);
        if (found === undefined) missing.add(other);
        texts.set(other, found ?? null);
        return found ?? null;
      },
    });
    const files = new Map<string, Found<Uint8Array>>();
    // Contents matter to those that are checked and run.
    for (const other of this.open(uri) ? analysis.loads : []) {
      const found = this.loaded(other, uri);
      if (found === undefined) missingDumps.add(other);
      files.set(other, found ?? null);
    }
    this.kept.delete(uri);
    this.kept.set(uri, { text, script: { uri, version, analysis, texts, files } });
    this.evict(uri);
    return [...[...missing].map((each) => this.files.read(each, uri)), ...[...missingDumps].map((each) => this.dumps.read(each, uri))];
  }

  /** Forgets analyses of files that are not open, the oldest first, when there are too many. The newest stays in any case. */
  private evict(newest: string): void {
    const closed = [...this.kept].filter(([uri]) => uri !== newest && !this.open(uri));
    let count = closed.length;
    let characters = closed.reduce((sum, [, { text }]) => sum + text.length, 0);
    for (const [uri, { text }] of closed) {
      if (count < MOST_CLOSED && characters <= MOST_CLOSED_TEXT) return;
      this.kept.delete(uri);
      count--;
      characters -= text.length;
    }
  }

  /** The open document's text before the file's; undefined when the file was not read yet. */
  private textOf(uri: string): Found<string> | undefined {
    return this.open(uri)?.getText() ?? this.files.get(uri);
  }

  private imported(uri: string, document: string): Found<string> | undefined {
    return this.allowed.refusal(uri, document, 'import') ?? this.textOf(uri);
  }

  private loaded(uri: string, document: string): Found<Uint8Array> | undefined {
    return this.allowed.refusal(uri, document, 'load') ?? this.dumps.get(uri);
  }
}

function isSame<T extends string | Uint8Array>(now: Found<T> | undefined, seen: Found<T>): boolean {
  if (now === undefined || now === null || seen === null) return now === seen;
  return isNotOpened(now) && isNotOpened(seen) ? now.notOpened === seen.notOpened : now === seen;
}
