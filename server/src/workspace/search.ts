/** A search through the scenarios of the workspace, one after another, other requests being answered in between. */
import type { Analysis } from '../language/analysis';
import type { Scripts } from './scripts';

/** Milliseconds of work before others have their turn. */
const TURN = 8;

interface SearchOptions {
  readonly scripts: Scripts;
  /** URIs of the scenarios, each once. */
  readonly uris: Iterable<string>;
  /** Whether a text is worth being understood. */
  fits(text: string, uri: string): boolean;
  /** Resolves when other work that waits has been done. */
  giveWay(): Promise<void>;
  /** A monotonic clock in milliseconds. */
  now(): number;
  readonly token: { readonly isCancellationRequested: boolean };
}

/** Analyses of scenarios whose text fits, those open as they are in the editor; ends when nobody wants to know any more. */
export async function* search({ scripts, uris, fits, giveWay, now, token }: SearchOptions): AsyncGenerator<Analysis> {
  let since = now();
  for (const uri of uris) {
    if (token.isCancellationRequested) return;
    const text = await scripts.text(uri);
    if (text !== null && fits(text, uri)) {
      const script = await scripts.getFile(uri);
      if (script) yield script.analysis;
    }
    if (now() - since < TURN) continue;
    await giveWay();
    since = now();
  }
}
