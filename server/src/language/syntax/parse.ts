/** Text to tree. Never throws; always gives a tree. */
import { MAX_PROBLEMS, type SyntaxProblem } from './problem';
import { grammarParser } from './grammar/parser';
import { scan, type Scanned } from './scan';
import type { File } from './tree';

export interface Parsed {
  readonly text: string;
  readonly tree: File;
  /** In the order of the text. */
  readonly errors: readonly SyntaxProblem[];
}

/** UTF-16 units of a text at most; a longer one is refused unread. */
const MAX_TEXT = 8 * 1024 * 1024;

/** Never throws. A text with missing braces is looked at twice: the second time its indentation tells where they belong. */
export function parse(text: string): Parsed {
  if (text.length > MAX_TEXT) return tooLarge(text);
  const scanned = scan(text);
  let { tree, problems } = read(scanned, false);
  if (problems.some((problem) => problem.code === 'expected-close')) {
    const byIndentation = read(scanned, true);
    if (byIndentation.problems.length <= problems.length) ({ tree, problems } = byIndentation);
  }
  return { text, tree, errors: limited([...scanned.problems, ...problems]) };
}

function read(scanned: Scanned, byIndentation: boolean): { tree: File; problems: SyntaxProblem[] } {
  const { items, problems } = grammarParser().read(scanned, byIndentation);
  const { comments, tokens } = scanned;
  return { tree: { kind: 'file', items, comments, range: { start: 0, end: tokens.text.length } }, problems };
}

function limited(problems: SyntaxProblem[]): SyntaxProblem[] {
  problems.sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
  if (problems.length <= MAX_PROBLEMS) return problems;
  const { range } = problems[MAX_PROBLEMS]!;
  return [
    ...problems.slice(0, MAX_PROBLEMS),
    { code: 'too-many-problems', message: `more than ${MAX_PROBLEMS} problems; the others are not shown`, range },
  ];
}

function tooLarge(text: string): Parsed {
  const tree: File = { kind: 'file', items: [], comments: [], range: { start: 0, end: text.length } };
  const message = `the file has ${text.length} characters; at most ${MAX_TEXT} are read`;
  return { text, tree, errors: [{ code: 'too-large', message, range: { start: 0, end: 0 } }] };
}
