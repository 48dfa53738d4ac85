/** Problems as they are found, each place and kind once. */
import type { Location, Problem, ProblemFix } from '../analysis';
import type { Range } from '../syntax/tree';
import type { ProblemCode } from './codes';
import type { SourceFile } from './source';

/** A node and the file that it stands in. */
interface Place {
  readonly file: SourceFile;
  readonly node: { readonly range: Range };
}

export interface More {
  readonly severity?: Problem['severity'];
  readonly related?: readonly (Place & { readonly message: string })[];
  readonly fixes?: readonly (Place & { readonly title: string; readonly text: string })[];
  readonly unnecessary?: boolean;
}

interface Found {
  readonly file: SourceFile;
  readonly start: number;
  readonly problem: Problem;
}

/** Characters of a word in a message; of a longer one its beginning is shown. */
const MOST_OF_WORD = 80;

/** Names can be as long as a file. */
const readable = (message: string): string => message.replace(/\S{81,}/g, (word) => `${word.slice(0, MOST_OF_WORD - 1)}…`);

/** Problems kept at most; a last one says so. */
const MOST_PROBLEMS = 1000;

export class Reporter {
  private readonly byPlace = new Map<string, Found>();
  private full = false;
  /** Some problem is an error, so that nothing can be run. */
  hasErrors = false;
  private ignored: ReadonlySet<ProblemCode> | 'all' | null = null;

  /** @param before what has been found already, which is not reported again */
  constructor(private readonly before: Reporter | null = null) {
    if (before?.hasErrors) this.hasErrors = true;
  }

  /** Reports go nowhere now. */
  get silent(): boolean {
    return this.ignored === 'all';
  }

  /** Nothing that the call finds is reported. */
  silently(call: () => void): void {
    this.ignoring('all', call);
  }

  /** Problems with these codes are not reported during the call. */
  ignoring(codes: ReadonlySet<ProblemCode> | 'all', call: () => void): void {
    const before = this.ignored;
    this.ignored = before === 'all' ? before : codes;
    call();
    this.ignored = before;
  }

  /** An error unless `more` says otherwise. The first report of a code at a place counts. */
  report(file: SourceFile, node: { readonly range: Range }, code: ProblemCode, message: string, more: More = {}): void {
    if (this.ignored === 'all' || this.ignored?.has(code)) return;
    const severity = more.severity ?? 'error';
    if (severity === 'error') this.hasErrors = true;
    const { start, end } = node.range;
    const key = `${start}:${end}:${code}:${file.uri}`;
    if (this.byPlace.has(key) || this.before?.byPlace.has(key)) return;
    if (this.byPlace.size + (this.before?.byPlace.size ?? 0) >= MOST_PROBLEMS) {
      this.full = true;
      return;
    }
    const problem: Problem = {
      ...file.locate(node.range),
      severity,
      code,
      message: readable(message),
      ...(more.related ? { related: more.related.map((each) => ({ ...locate(each), message: readable(each.message) })) } : {}),
      ...(more.fixes
        ? { fixes: more.fixes.map((each): ProblemFix => ({ ...locate(each), title: readable(each.title), text: each.text })) }
        : {}),
      ...(more.unnecessary ? { tag: 'unnecessary' as const } : {}),
    };
    this.byPlace.set(key, { file, start, problem });
  }

  /** Those found before too: file by file, in the order of the text. */
  problems(files: readonly SourceFile[]): Problem[] {
    return sorted(files, [...(this.before?.byPlace.values() ?? []), ...this.byPlace.values()], this.full || this.before?.full === true);
  }

  /** Those alone that were not found before. */
  found(files: readonly SourceFile[]): Problem[] {
    return sorted(files, [...this.byPlace.values()], this.full && !this.before?.full);
  }
}

function sorted(files: readonly SourceFile[], all: readonly Found[], full: boolean): Problem[] {
  const order = new Map(files.map((file, index) => [file, index]));
  const inOrder = [...all].sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.start - b.start);
  const problems = inOrder.map((each) => each.problem);
  if (full) {
    const message = `there are more than ${MOST_PROBLEMS} problems; only these are shown`;
    problems.push({ ...files[0].locate({ start: 0, end: 0 }), severity: 'error', code: 'too-many-problems', message });
  }
  return problems;
}

function locate({ file, node }: Place): Location {
  return file.locate(node.range);
}
