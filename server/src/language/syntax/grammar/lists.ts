/** Lists of items, with the recovery around them: item by item and line by line. */
import type { ParserMethod, SubruleMethodOpts } from 'chevrotain';
import * as t from '../tokens';
import type { Body, ErrorNode, Node, Range } from '../tree';
import { Ground } from './ground';

/** Words that end any body in which they cannot stand, when they begin a line: its `}` is missing. */
export const OUTER = ['import', 'budget', 'block', 'run'];

const OUTER_KINDS = t.kindsOf(OUTER);

/** What bodies hold: a file, settings of a block, and so on; for those who ask what can begin here. */
export type BodyOf =
  'file' | 'vm' | 'tables' | 'script' | 'host-acts' | 'host' | 'cpu' | 'tlb' | 'kvm' | 'budget' | 'cpuid' | 'slot' | 'vcpu';

export class Lists extends Ground {
  /** Column of the last token that began a line. */
  private lineColumn = 0;
  /** Second look at a text with a missing `}`: a line indented no deeper than the body's first line ends the body. */
  protected byIndentation = false;

  /** `item, item, …`, at least one. */
  LIST<T, A extends unknown[]>(item: ParserMethod<A, T | null>, options?: SubruleMethodOpts<A>): T[] {
    const items: T[] = [];
    do {
      const found = this.SUBRULE3(item, options);
      if (found !== null) items.push(found);
    } while (this.goesOn());
    return items;
  }

  /** Items up to the end of the text. */
  FILE<T extends Node>(item: ParserMethod<[], T | null>): (T | ErrorNode)[] {
    return this.items('file', item, () => false);
  }

  protected goesOn(): boolean {
    const comma = this.is(t.Comma);
    if (comma) this.take();
    return comma;
  }

  /**
   * `{ item … }`. `what` is closed by the brace, as `vm guest`. `stops` are words that show, when they begin a line, that the
   * brace is missing.
   */
  BRACES<T extends Node>(
    of: BodyOf,
    what: string,
    item: ParserMethod<[], T | null>,
    stops: ReadonlySet<number> = OUTER_KINDS,
  ): Body<T | ErrorNode> | null {
    const start = this.here();
    this.trackLine();
    const column = this.lineColumn;
    const open = this.opens(what);
    if (!open) return null;
    const items = this.items(of, item, () => this.is(t.RCurly) || (this.onNewLine() && this.endsBody(stops, column)));
    const closed = this.closes(what, t.rangeOf(open));
    return { kind: 'body', items, closed, range: this.since(start) };
  }

  protected opens(what: string): ReturnType<typeof this.take> | null {
    if (this.is(t.LCurly)) return this.take();
    this.expected(`'{' to open ${what}`, { title: 'Insert {', text: ' {' });
    return null;
  }

  protected closes(what: string, open: Range): boolean {
    const close = this.is(t.RCurly);
    if (close) this.take();
    else
      this.report('expected-close', `expected '}' to close ${what}`, this.behind(), {
        fix: { title: "Insert '}'", range: this.behind(), text: '\n}' },
        related: { range: open, message: `${what} begins here` },
      });
    return close;
  }

  /** Items up to the end of the file or where `ends` says; what cannot be read is error nodes between them. */
  protected items<T extends Node>(_of: BodyOf, item: ParserMethod<[], T | null>, ends: () => boolean): (T | ErrorNode)[] {
    const items: (T | ErrorNode)[] = [];
    while (!this.atEnd() && !ends()) {
      this.panic = false;
      this.trackLine();
      const before = (this.itemFirst = this.index);
      const start = this.here();
      const node = this.SUBRULE(item);
      if (node) items.push(node);
      const read = this.index !== before;
      // An item that could not be made is an error from its beginning on.
      const from = node || !read ? this.here() : start;
      if (this.panic || !read) this.skip(!read);
      if (this.lastEnd() > from) items.push({ kind: 'error', range: this.since(from) });
    }
    this.panic = false;
    return items;
  }

  private endsBody(stops: ReadonlySet<number>, column: number): boolean {
    return stops.has(this.kind()) || (this.byIndentation && this.column() <= column);
  }

  private trackLine(): void {
    const column = this.column();
    if (column >= 0) this.lineColumn = column;
  }

  /** Skips to where an item can begin, over whole bodies; `atLeastOne` when nothing was read. */
  private skip(atLeastOne: boolean): void {
    let depth = 0;
    for (let skipped = !atLeastOne; !this.atEnd(); skipped = true) {
      const { tokenType } = this.next();
      const opens = tokenType === t.LCurly || tokenType === t.LParen || tokenType === t.LSquare;
      if (depth === 0 && tokenType === t.RCurly) return;
      if (depth === 0 && skipped && !opens && this.onNewLine()) return;
      if (depth > 0 && OUTER_KINDS.has(this.kind()) && this.column() === 0) return;
      if (tokenType === t.LCurly) depth++;
      else if (tokenType === t.RCurly) depth--;
      this.take();
    }
  }
}
