/** What was edited in open documents since they were run last, so that places of that text are found in the text of now. */
import type { Change } from './moves';

/** Changes that are kept of a document; beyond them the oldest go, and places before them are not found any more. */
const MOST_CHANGES = 10_000;

interface Edited {
  /** The version that the change led to. */
  readonly version: number;
  readonly change: Change;
}

export class Edits {
  private readonly logs = new Map<string, Edited[]>();
  /** Versions from which on all changes are kept. */
  private readonly complete = new Map<string, number>();

  /** @param version the version that the changes lead to */
  edited(uri: string, version: number, changes: readonly Change[]): void {
    const log = this.logs.get(uri) ?? [];
    log.push(...changes.map((change) => ({ version, change })));
    if (log.length > MOST_CHANGES) {
      const gone = log.splice(0, log.length - MOST_CHANGES);
      this.complete.set(uri, gone[gone.length - 1].version);
    }
    this.logs.set(uri, log);
  }

  /** Changes of a document since a version, in order; null: they are not known any more. */
  since(uri: string, version: number): readonly Change[] | null {
    if (version < (this.complete.get(uri) ?? 0)) return null;
    return (this.logs.get(uri) ?? []).filter((each) => each.version > version).map(({ change }) => change);
  }

  /** Nobody will ask for what was before a version. */
  forgetBefore(uri: string, version: number): void {
    const log = this.logs.get(uri)?.filter((each) => each.version > version);
    if (log) this.logs.set(uri, log);
  }

  closed(uri: string): void {
    this.logs.delete(uri);
    this.complete.delete(uri);
  }
}
