/** Text to tree. Never throws; always gives a tree. */
import type { TokenType } from 'chevrotain';
import { MAX_PROBLEMS, type SyntaxProblem } from './problem';
import { ScriptParser } from './script-parser';
import * as t from './tokens';
import type { Block, Definition, File, Import, Item, Run } from './tree';

export type { Fix, ProblemCode, SyntaxProblem } from './problem';

export interface Parsed {
  readonly text: string;
  readonly tree: File;
  /** In the order of the text. */
  readonly errors: readonly SyntaxProblem[];
}

/** UTF-16 units of a text at most; a longer one is refused unread. */
export const MAX_TEXT = 8 * 1024 * 1024;

const IMPORT = t.reserved('import');
const CONST = t.reserved('const');
const HOST = t.reserved('host');
const BUDGET = t.reserved('budget');
const VM = t.reserved('vm');
const BLOCK = t.reserved('block');
const RUN = t.reserved('run');
const UNDER = t.reserved('under');
const DECLARATIONS = ['import', 'const', 'host', 'budget', 'vm', 'block', 'run'];
const BEGINNINGS: ReadonlySet<TokenType> = new Set(DECLARATIONS.map(t.reserved));
const IN_VM: ReadonlySet<TokenType> = new Set(['slot', 'vcpu', 'tables'].map(t.reserved));

class FileParser extends ScriptParser {
  file(): Item[] {
    return this.items<Item>(
      () => this.fileItem(),
      () => false,
    );
  }

  private fileItem(): Item | null {
    switch (this.next().tokenType) {
      case IMPORT:
        return this.importOf();
      case CONST:
        return this.constant();
      case HOST:
        return this.host();
      case BUDGET:
        return this.budget();
      case VM:
        return this.vm();
      case BLOCK:
        return this.block();
      case RUN:
        return this.run();
    }
    return this.noItem();
  }

  /** One report for all that stands where a declaration should. */
  private noItem(): null {
    const token = this.next();
    const range = t.rangeOf(token);
    const isStatement = this.is(t.Colon, 2) || this.isEntry() || this.isRegister() || t.isReserved(token.tokenType);
    if (token.tokenType === t.RCurly)
      this.report('unexpected', "'}' closes nothing", range, { fix: { title: "Remove '}'", range, text: '' } });
    else if (IN_VM.has(token.tokenType)) this.report('unexpected', `${token.image} is declared in a vm`, range);
    else if (isStatement) this.report('unexpected', 'statements stand in a run or a block', range);
    else if (token.tokenType === t.Word) this.unknown('unknown-word', 'declaration', { text: token.image, range }, DECLARATIONS);
    else this.expected('a declaration, as vm or run');
    this.skipItem();
    this.panic = false;
    return null;
  }

  /** Takes a token and what follows it, over whole bodies, up to a line that is not indented or begins a declaration. */
  private skipItem(): void {
    let depth = 0;
    do {
      const { tokenType } = this.take();
      if (tokenType === t.LCurly) depth++;
      else if (tokenType === t.RCurly && depth > 0) depth--;
    } while (!this.atEnd() && !(this.onNewLine() && this.endsSkip(depth)));
  }

  private endsSkip(depth: number): boolean {
    const atMargin = t.columnOf(this.next()) === 0;
    if (BEGINNINGS.has(this.next().tokenType)) return depth === 0 || atMargin;
    return depth === 0 && (atMargin || this.is(t.RCurly));
  }

  private importOf(): Import {
    const start = this.take().startOffset;
    const path = this.string('the path of a file in quotes');
    return { kind: 'import', path, range: this.since(start) };
  }

  private block(): Block {
    const start = this.take().startOffset;
    const name = this.definition('block', 'the name of the block');
    let parameters: Definition[] = [];
    if (this.needSign(t.LParen)) {
      if (!this.is(t.RParen)) parameters = this.commas(() => this.definition('parameter', 'the name of a parameter'));
      this.needSign(t.RParen);
    }
    const body = this.scriptBody(name ? `block ${name.text}` : 'block');
    return { kind: 'block', name, parameters, body, range: this.since(start) };
  }

  private run(): Run {
    const start = this.take().startOffset;
    const token = this.broken() ? null : this.maybe(t.Word);
    const title = this.is(t.Str) ? this.string('a title') : null;
    const under = this.is(UNDER) ? this.under() : null;
    const body = this.scriptBody(token ? `run ${token.image}` : 'run');
    return { kind: 'run', vm: token && this.referenceOf(token, 'vm'), title, under, body, range: this.since(start) };
  }
}

/** Never throws. A text with missing braces is looked at twice: the second time its indentation tells where they belong. */
export function parse(text: string): Parsed {
  if (text.length > MAX_TEXT) return tooLarge(text);
  const tokens = t.tokenize(text);
  let { tree, problems } = read(text, tokens, false);
  if (problems.some((problem) => problem.code === 'expected-close')) {
    const byIndentation = read(text, tokens, true);
    if (byIndentation.problems.length <= problems.length) ({ tree, problems } = byIndentation);
  }
  return { text, tree, errors: limited([...tokens.problems, ...problems]) };
}

function read(text: string, tokens: t.Tokens, byIndentation: boolean): { tree: File; problems: SyntaxProblem[] } {
  const parser = new FileParser(text, tokens, byIndentation);
  const items = parser.file();
  return { tree: { kind: 'file', items, comments: tokens.comments, range: { start: 0, end: text.length } }, problems: parser.problems };
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
