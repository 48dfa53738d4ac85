/**
 * Which tests reach which lines: each test file runs once by itself with V8's coverage. Kept in .cache/mutate; a file is measured again when
 * anything of the project that it loaded has changed.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { runMocha } from './mocha';
import { addLines } from './v8-coverage';
import type { Lines, V8Coverage } from './v8-coverage';

export interface TestFile {
  readonly path: string;
  /** How long it takes by itself, with its start. */
  readonly milliseconds: number;
  /** Lines of sources that it runs, by path. */
  readonly lines: ReadonlyMap<string, ReadonlySet<number>>;
}

/** A test that fails without any mutant tells nothing of one. */
export class FailsByItself extends Error {}

interface Kept {
  readonly milliseconds: number;
  /** Hash of each project file that was loaded. */
  readonly loaded: { readonly [path: string]: string };
  readonly lines: { readonly [path: string]: readonly number[] };
}

const OURS = /^(?:server|client|test|scripts)\/.*\.m?ts$/;
const SOURCE = /^(?:server|client)\//;

export class Reach {
  private readonly kept: { [test: string]: Kept };
  private readonly hashes = new Map<string, string>();

  constructor(private readonly root: string) {
    this.kept = existsSync(this.file) ? (JSON.parse(readFileSync(this.file, 'utf8')) as { [test: string]: Kept }) : {};
  }

  /**
   * @param root  a copy of the project to run it in
   * @throws {FailsByItself}
   */
  async measure(path: string, root: string): Promise<TestFile> {
    if (!this.isCurrent(this.kept[path])) this.kept[path] = await this.run(path, root);
    const { milliseconds, lines } = this.kept[path];
    return { path, milliseconds, lines: new Map(Object.entries(lines).map(([source, each]) => [source, new Set(each)])) };
  }

  save(): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify(this.kept));
  }

  private get file(): string {
    return join(this.root, '.cache', 'mutate', 'reach.json');
  }

  private isCurrent(kept: Kept | undefined): boolean {
    return kept !== undefined && Object.entries(kept.loaded).every(([path, hash]) => this.hashOf(path) === hash);
  }

  private hashOf(path: string): string {
    const at = join(this.root, path);
    let hash = this.hashes.get(path);
    hash ??= existsSync(at) ? createHash('sha256').update(readFileSync(at)).digest('hex').slice(0, 16) : '';
    this.hashes.set(path, hash);
    return hash;
  }

  private async run(path: string, root: string): Promise<Kept> {
    const folder = mkdtempSync(join(tmpdir(), 'coverage-'));
    try {
      const started = performance.now();
      const { failed } = await runMocha(root, [path], { env: { NODE_V8_COVERAGE: folder } });
      if (failed.length > 0) throw new FailsByItself(`${path} fails without a mutant: ${failed[0]}`);
      const milliseconds = Math.round(performance.now() - started);
      const lines: Lines = new Map();
      const wanted = (file: string): boolean => OURS.test(relative(root, file));
      for (const name of readdirSync(folder)) addLines(JSON.parse(readFileSync(join(folder, name), 'utf8')) as V8Coverage, wanted, lines);
      const files = [...lines].map(([file, each]) => [relative(root, file), [...each]] as const);
      return {
        milliseconds,
        loaded: Object.fromEntries(files.map(([file]) => [file, this.hashOf(file)])),
        lines: Object.fromEntries(files.filter(([file]) => SOURCE.test(file))),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
