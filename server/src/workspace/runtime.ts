/** What the server needs of the place that it runs in: Node or a browser. */
import type { Found } from '../language/analysis';
import type { FolderEntry } from '../protocol/messages';
import type { WorkerLike } from '../worker/worker-like';

export interface Runtime {
  /**
   * What a regular file holds, when it lies in one of these folders wherever links lead; undefined: files like this one cannot be reached
   * from here, and the client may. Never rejects.
   *
   * @param most bytes at most
   * @param folders URIs
   */
  readFile(uri: string, most: number, folders: readonly string[]): Promise<Found<Uint8Array> | undefined>;
  /** What is in a folder; null when there is none. May reject. */
  readFolder(uri: string): Promise<readonly FolderEntry[] | null>;
  /** URIs of the scenarios below folders; as many as are found with fair effort. */
  findFiles(folders: readonly string[]): Promise<readonly string[]>;
  /**
   * @param url where the client says that the worker's script is
   * @param log told when there is no worker and runs happen in the server's own thread
   */
  spawnWorker(url: string | undefined, log: (message: string) => void): WorkerLike;
  /** A monotonic clock in milliseconds. */
  now(): number;
  /** Calls back after some milliseconds, unless the function that it returns is called before. */
  later(call: () => void, milliseconds: number): () => void;
}
