/**
 * Where lines and columns begin in the printed form, from the tree. A body stays on one line when it is written on one, holds
 * settings or a single item, no comment, and fits; all others have a line for each item.
 */
import { itemKindOf } from '../kinds';
import type { Parsed } from './parse';
import type { Token } from './tokens';
import { children, walk, type Body, type Expect, type Node } from './tree';

/** What a line is to the alignment of columns: lines of one kind, next to each other, share them. */
export type LineKind = 'mapping' | 'slot' | 'vcpu' | 'statement' | 'plain';

export interface LineStart {
  readonly indent: number;
  readonly kind: LineKind;
}

export interface Layout {
  /** Tokens that begin a line, by their offset. */
  readonly lines: ReadonlyMap<number, LineStart>;
  /** Tokens that begin a column. */
  readonly columns: ReadonlySet<number>;
  /** Tokens that stand apart, with two spaces before them. */
  readonly apart: ReadonlySet<number>;
  /** Tokens that begin a line in the second column: further `expect`s of an act. */
  readonly below: ReadonlySet<number>;
  /** Tokens with no space before them, beside those that never have one. */
  readonly tight: ReadonlySet<number>;
}

const WIDEST = 120;
export const INDENT = 2;

export function layoutOf(parsed: Parsed, tokens: readonly Token[]): Layout {
  return new LayoutBuilder(parsed, tokens).build();
}

class LayoutBuilder implements Layout {
  readonly lines = new Map<number, LineStart>();
  readonly columns = new Set<number>();
  readonly apart = new Set<number>();
  readonly below = new Set<number>();
  readonly tight = new Set<number>();
  private readonly indexAt = new Map<number, number>();
  /** Bodies on one line. */
  private readonly flat = new Set<Body>();

  constructor(
    private readonly parsed: Parsed,
    private readonly tokens: readonly Token[],
  ) {
    tokens.forEach((token, index) => this.indexAt.set(token.startOffset, index));
  }

  build(): Layout {
    for (const node of walk(this.parsed.tree)) this.tighten(node);
    this.flattened(this.parsed.tree, 0, 0);
    for (const item of this.parsed.tree.items) this.item(item, 0);
    return this;
  }

  /** The token some places before or behind the one at an offset. */
  private beside(offset: number, places: number): number {
    return this.tokens[this.indexAt.get(offset)! + places]!.startOffset;
  }

  private tighten(node: Node): void {
    switch (node.kind) {
      case 'unary':
        this.tight.add(this.beside(node.range.start, 1));
        break;
      case 'range':
        if (node.size) this.tight.add(node.size.range.start);
        break;
      case 'entry':
        this.tight.add(this.beside(node.table.range.start, 1));
        break;
      case 'call':
        this.tight.add(this.beside(node.block.range.start, 1));
        break;
      case 'block':
        this.tight.add(this.beside(node.name!.range.start, 1));
        break;
      case 'expect-fault':
        if (node.flags || node.code) this.tight.add(this.beside(node.range.start, 1));
        break;
      case 'event':
        if (node.range.end > node.name.range.end) this.tight.add(this.beside(node.range.start, 1));
        break;
      case 'body':
        if (this.isEmpty(node)) this.tight.add(node.range.end - 1);
        break;
      default:
      // Nothing in it stands closer than words do.
    }
  }

  private isEmpty(body: Body): boolean {
    return this.beside(body.range.start, 1) === body.range.end - 1 && !this.hasComment(body);
  }

  private hasComment(body: Body): boolean {
    const { comments } = this.parsed.tree;
    let low = 0;
    for (let high = comments.length; low < high;) {
      const middle = (low + high) >> 1;
      if (comments[middle]!.range.start < body.range.start) low = middle + 1;
      else high = middle;
    }
    return low < comments.length && comments[low]!.range.start < body.range.end;
  }

  /* ------------------------------------------------------------ bodies on one line */

  /** Decides for the bodies below a node; `lineStart` is where the line around them begins. */
  private flattened(node: Node, lineStart: number, depth: number): void {
    for (const child of children(node)) {
      if (child.kind !== 'body') this.flattened(child, node.kind === 'file' ? child.range.start : lineStart, depth);
      else if (this.fits(child, lineStart, depth)) this.flatten(child);
      else for (const item of child.items) this.flattened(item, item.range.start, depth + 1);
    }
  }

  private fits(body: Body, lineStart: number, depth: number): boolean {
    if (this.isEmpty(body)) return true;
    const { start, end } = body.range;
    if (/[\r\n]/.test(this.parsed.text.slice(start, Math.min(end, start + WIDEST * 4))) || end > start + WIDEST * 4) return false;
    if (this.hasComment(body) || !isShort(body)) return false;
    return depth * INDENT + this.width(lineStart, end) <= WIDEST;
  }

  private flatten(node: Node): void {
    for (const inner of walk(node)) if (inner.kind === 'body') this.flat.add(inner);
  }

  /** Columns from the token at `start` to the one that ends at `end`, on one line. */
  private width(start: number, end: number): number {
    let width = 0;
    for (let index = this.indexAt.get(start)!; index < this.tokens.length && this.tokens[index]!.startOffset < end; index++) {
      width += this.tokens[index]!.image.length + 1;
    }
    return width;
  }

  /* ------------------------------------------------------------ lines and columns */

  private item(node: Node, indent: number): void {
    const open = this.openBodies(node);
    this.lines.set(node.range.start, { indent, kind: open.length > 0 ? 'plain' : (itemKindOf(node)?.line ?? 'statement') });
    if (node.kind === 'mapping') {
      this.columns.add(this.beside(node.to.range.start, -1));
      if (node.flags.length > 0) this.columns.add(node.flags[0]!.range.start);
    }
    for (const body of open) {
      for (const inner of body.items) this.item(inner, indent + 1);
      this.lines.set(body.range.end - 1, { indent, kind: 'plain' });
    }
    this.onLine(node, open.length > 0, node.kind === 'slot' || node.kind === 'vcpu' ? this.columns : this.apart);
  }

  /** Columns within the line of an item: `expect`s, and what bodies on one line hold. */
  private onLine(node: Node, isOpen: boolean, between: Set<number>, inBody = false): void {
    if (node.kind === 'body') node.items.slice(1).forEach((each) => between.add(each.range.start));
    else if ('expects' in node) this.expects(node.expects, isOpen, inBody);
    for (const child of children(node)) {
      if (child.kind !== 'body') this.onLine(child, isOpen, between, inBody);
      else if (this.flat.has(child)) this.onLine(child, isOpen, between, true);
    }
  }

  /** The outermost bodies of an item that have a line for each item. */
  private openBodies(node: Node): Body[] {
    return children(node).flatMap((child) => (child.kind !== 'body' ? this.openBodies(child) : this.flat.has(child) ? [] : [child]));
  }

  private expects(expects: readonly Expect[], isOpen: boolean, inBody: boolean): void {
    expects.forEach((expect, index) => {
      if (index > 0) this.below.add(expect.range.start);
      else if (inBody) this.apart.add(expect.range.start);
      else if (!isOpen) this.columns.add(expect.range.start);
    });
  }
}

/** Settings, or a single item with at most one `expect` and with such bodies. */
function isShort(body: Body): boolean {
  if (body.items.every((item) => item.kind === 'setting' && !item.body)) return true;
  return body.items.length === 1 && isShortItem(body.items[0]!);
}

function isShortItem(node: Node): boolean {
  if ('expects' in node && node.expects.length > 1) return false;
  return children(node).every((child) => (child.kind === 'body' ? isShort(child) : isShortItem(child)));
}
