/** Folders of the workspace, listed for those who write a path. Nothing outside the workspace is listed. */
import type { FolderEntry } from '../protocol/messages';
import type { Allowed } from './allowed';

/** Entries of a folder at most. */
const MOST_ENTRIES = 1000;

export class Folders {
  /**
   * @param readFolder entries of a folder; null when there is none
   */
  constructor(
    private readonly allowed: Allowed,
    private readonly readFolder: (uri: string) => Promise<readonly FolderEntry[] | null>,
  ) {}

  /** Entries of a folder that a path in a document leads to; none when it cannot be read or lies outside. Never rejects. */
  async list(uri: string, document: string): Promise<readonly FolderEntry[]> {
    if (!this.allowed.isInside(uri, document)) return [];
    try {
      return ((await this.readFolder(uri)) ?? []).slice(0, MOST_ENTRIES);
    } catch {
      return [];
    }
  }
}
