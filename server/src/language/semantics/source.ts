/** Source files of a scenario: the text, its lines, and the files that it imports. */
import type { Location } from '../analysis';
import type { Found, NotOpened } from '../files';
import { firstAt } from '../syntax/comments';
import { parse } from '../syntax/parse';
import type { Parsed } from '../syntax/parse';
import { walk } from '../syntax/walk';
import type { Import, Range } from '../syntax/tree';
import { resolveImport } from './paths';

export class SourceFile {
  readonly parsed: Parsed;
  /** Files of its imports, in order, those that could be read. */
  readonly imported: SourceFile[] = [];
  private readonly lineStarts: readonly number[];

  constructor(
    readonly uri: string,
    text: string,
  ) {
    this.parsed = parse(text);
    this.lineStarts = lineStarts(text);
  }

  get text(): string {
    return this.parsed.text;
  }

  locate(range: Range): Location {
    return { uri: this.uri, range: { start: this.positionAt(range.start), end: this.positionAt(range.end) } };
  }

  positionAt(offset: number): Location['range']['start'] {
    const starts = this.lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: Math.max(0, offset - starts[low]) };
  }

  /** A position beyond the end of its line, or of the file, is that end. */
  offsetAt({ line, character }: Location['range']['start']): number {
    if (line < 0) return 0;
    if (line >= this.lineStarts.length) return this.text.length;
    const start = this.lineStarts[line];
    let end = line + 1 < this.lineStarts.length ? this.lineStarts[line + 1] : this.text.length;
    while (end > start && /[\r\n]/.test(this.text[end - 1])) end--;
    return Math.min(start + Math.max(0, character), end);
  }

  /** What stands in a range, on one line, without comments. */
  oneLine(range: Range): string {
    let shown = '';
    let at = range.start;
    const { comments } = this.parsed.tree;
    for (let i = firstAt(comments, range.start); i < comments.length && comments[i].range.start < range.end; i++) {
      shown += `${this.text.slice(at, comments[i].range.start)} `;
      at = comments[i].range.end;
    }
    return (shown + this.text.slice(at, range.end)).replace(/\s+/g, ' ').trim();
  }
}

/** Offsets at which lines begin; \n, \r\n and \r end a line, as the Language Server Protocol has it. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10 || (code === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
  }
  return starts;
}

/** Files that one scenario may be made of. */
const MOST_FILES = 100;

export type ImportFailure = 'unreadable' | 'cycle' | 'too-many' | 'bad-path';

/**
 * The file and all that it imports, directly or not, itself first; an imported file is read once.
 *
 * @param failed told of each import that gives nothing
 */
export function loadFiles(
  text: string,
  uri: string,
  read: (uri: string) => Found<string>,
  failed: (file: SourceFile, node: Import, why: ImportFailure | NotOpened) => void,
): SourceFile[] {
  const main = new SourceFile(uri, text);
  const files = new Map<string, SourceFile>([[uri, main]]);
  const notRead = new Map<string, NotOpened | null>();
  const open = new Set<SourceFile>();

  const load = (file: SourceFile): void => {
    open.add(file);
    for (const item of file.parsed.tree.items) {
      if (item.kind !== 'import' || !item.path) continue;
      const target = resolveImport(item.path.value, file.uri);
      if (target === null) {
        failed(file, item, 'bad-path');
        continue;
      }
      let imported = files.get(target);
      if (!imported) {
        if (files.size >= MOST_FILES) {
          failed(file, item, 'too-many');
          continue;
        }
        const found = notRead.has(target) ? notRead.get(target)! : readSafely(read, target);
        if (typeof found !== 'string') {
          notRead.set(target, found);
          failed(file, item, found ?? 'unreadable');
          continue;
        }
        imported = new SourceFile(target, found);
        files.set(target, imported);
        load(imported);
      } else if (open.has(imported)) {
        failed(file, item, 'cycle');
        continue;
      }
      if (!file.imported.includes(imported)) file.imported.push(imported);
    }
    open.delete(file);
  };
  load(main);
  return [...files.values()];
}

/** URIs of the files that `load` names. */
export function loadedFiles(files: readonly SourceFile[]): string[] {
  const found = new Set<string>();
  for (const file of files) {
    for (const item of file.parsed.tree.items) {
      if (item.kind !== 'vm') continue;
      for (const node of walk(item)) {
        const uri = node.kind === 'load' && node.path ? resolveImport(node.path.value, file.uri) : null;
        if (uri !== null) found.add(uri);
      }
    }
  }
  return [...found];
}

function readSafely(read: (uri: string) => Found<string>, uri: string): Found<string> {
  try {
    return read(uri);
  } catch {
    return null;
  }
}
