/** Folders of the workspace, listed for those who write a path. Nothing outside the workspace is listed. */
import type { FolderEntry } from '../protocol/messages';

/** Entries of a folder at most. */
export const MOST_ENTRIES = 1000;

export class Folders {
  /**
   * @param workspace URIs of the workspace's folders
   * @param readFolder entries of a folder; null when there is none
   */
  constructor(
    private readonly workspace: readonly string[],
    private readonly readFolder: (uri: string) => Promise<readonly FolderEntry[] | null>,
  ) {}

  /** Entries of a folder that a path in a document leads to; none when it cannot be read or lies outside. Never rejects. */
  async list(uri: string, document: string): Promise<readonly FolderEntry[]> {
    if (!this.around(document).some((folder) => uri === folder || uri.startsWith(`${folder}/`))) return [];
    try {
      return ((await this.readFolder(uri)) ?? []).slice(0, MOST_ENTRIES);
    } catch {
      return [];
    }
  }

  /** Without a workspace, a document's own folder is all there is. */
  private around(document: string): readonly string[] {
    if (this.workspace.length === 0) return [document.slice(0, document.lastIndexOf('/'))];
    return this.workspace.map((folder) => folder.replace(/\/+$/, ''));
  }
}
