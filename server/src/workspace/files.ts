/** Contents of files that are not open, as imports and loads need them: read once, kept until the client says that they changed. */

import { isNotOpened } from '../language/analysis';
import type { Found } from '../language/analysis';

/** Files kept at most; beyond it the oldest go. */
const MOST_FILES = 500;

/** Bytes in memory that workers see without a copy, where there is such. */
export function shareable(bytes: Found<Uint8Array>): Found<Uint8Array> {
  if (bytes === null || isNotOpened(bytes) || typeof SharedArrayBuffer === 'undefined') return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** @typeParam T text, or bytes */
export class Files<T extends string | Uint8Array = string> {
  private readonly contents = new Map<string, Found<T>>();
  private readonly reading = new Map<string, Promise<void>>();

  /** @param readFile reads a file for a document whose words name it */
  constructor(private readonly readFile: (uri: string, document: string) => Promise<Found<T>>) {}

  /** Content of a file, null when there is none; undefined when it was not read yet. */
  get(uri: string): Found<T> | undefined {
    return this.contents.get(uri);
  }

  /** Reads a file for {@link get}. Never rejects: a file that cannot be read is none. */
  read(uri: string, document: string): Promise<void> {
    let reading = this.reading.get(uri);
    if (!reading) {
      reading = this.fetch(uri, document).then((content) => {
        if (this.reading.get(uri) !== reading) return;
        this.reading.delete(uri);
        this.keep(uri, content);
      });
      this.reading.set(uri, reading);
    }
    return reading;
  }

  /** The file may have changed. */
  forget(uri: string): void {
    this.contents.delete(uri);
    this.reading.delete(uri);
  }

  /** Any file may have changed. */
  forgetAll(): void {
    this.contents.clear();
    this.reading.clear();
  }

  private async fetch(uri: string, document: string): Promise<Found<T>> {
    try {
      return await this.readFile(uri, document);
    } catch {
      return null;
    }
  }

  private keep(uri: string, content: Found<T>): void {
    this.contents.delete(uri);
    this.contents.set(uri, content);
    if (this.contents.size > MOST_FILES) this.contents.delete(this.contents.keys().next().value!);
  }
}
