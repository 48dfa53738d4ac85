/** Contents of files that are not open, as imports and loads need them: read once, kept until the client says that they changed. */

/** Files kept at most; beyond it the oldest go. */
const MOST_FILES = 500;

/** Bytes in memory that workers see without a copy, where there is such. */
export function shareable(bytes: Uint8Array | null): Uint8Array | null {
  if (bytes === null || typeof SharedArrayBuffer === 'undefined') return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** @typeParam T text, or bytes */
export class Files<T = string> {
  private readonly contents = new Map<string, T | null>();
  private readonly reading = new Map<string, Promise<void>>();

  constructor(private readonly readFile: (uri: string) => Promise<T | null>) {}

  /** Content of a file, null when there is none; undefined when it was not read yet. */
  get(uri: string): T | null | undefined {
    return this.contents.get(uri);
  }

  /** Reads a file for {@link get}. Never rejects: a file that cannot be read is none. */
  read(uri: string): Promise<void> {
    let reading = this.reading.get(uri);
    if (!reading) {
      reading = this.fetch(uri).then((content) => {
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

  private async fetch(uri: string): Promise<T | null> {
    try {
      return await this.readFile(uri);
    } catch {
      return null;
    }
  }

  private keep(uri: string, content: T | null): void {
    this.contents.delete(uri);
    this.contents.set(uri, content);
    if (this.contents.size > MOST_FILES) this.contents.delete(this.contents.keys().next().value!);
  }
}
