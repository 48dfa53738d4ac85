/** Texts of files that are not open, as imports need them: read once, kept until the client says that they changed. */

/** Files kept at most; beyond it the oldest go. */
const MOST_FILES = 500;

export class Files {
  private readonly texts = new Map<string, string | null>();
  private readonly reading = new Map<string, Promise<void>>();

  constructor(private readonly readFile: (uri: string) => Promise<string | null>) {}

  /** Text of a file, null when there is none; undefined when it was not read yet. */
  get(uri: string): string | null | undefined {
    return this.texts.get(uri);
  }

  /** Reads a file for {@link get}. Never rejects: a file that cannot be read is none. */
  read(uri: string): Promise<void> {
    let reading = this.reading.get(uri);
    if (!reading) {
      reading = this.fetch(uri).then((text) => {
        if (this.reading.get(uri) !== reading) return;
        this.reading.delete(uri);
        this.keep(uri, text);
      });
      this.reading.set(uri, reading);
    }
    return reading;
  }

  /** The file may have changed. */
  forget(uri: string): void {
    this.texts.delete(uri);
    this.reading.delete(uri);
  }

  /** Any file may have changed. */
  forgetAll(): void {
    this.texts.clear();
    this.reading.clear();
  }

  private async fetch(uri: string): Promise<string | null> {
    try {
      return await this.readFile(uri);
    } catch {
      return null;
    }
  }

  private keep(uri: string, text: string | null): void {
    this.texts.delete(uri);
    this.texts.set(uri, text);
    if (this.texts.size > MOST_FILES) this.texts.delete(this.texts.keys().next().value!);
  }
}
