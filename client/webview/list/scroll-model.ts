/**
 * Where a list of any length stands in a scroller of bounded height. Browsers cannot lay out an element of hundreds of millions of
 * pixels: beyond a height, the scroll bar stands for the list in proportion, and the exact place is kept here.
 */

/** Pixels; browsers give up beyond some 33 million. */
const HIGHEST = 16_000_000;

export class ScrollModel {
  private rows = 0;
  private view = 0;
  /** Pixels of the whole list above the upper edge. */
  private offset = 0;
  /** What {@link scrollTop} was last, as the browser may round it. */
  private shown = 0;

  constructor(
    readonly rowHeight: number,
    private readonly highest = HIGHEST,
  ) {}

  get total(): number {
    return this.rows;
  }

  get top(): number {
    return this.offset;
  }

  /** Height of the scroller's content. */
  get height(): number {
    return Math.min(this.rows * this.rowHeight, this.highest);
  }

  /** The scroll bar stands for the list in proportion only: the wheel must be handled by rows. */
  get scaled(): boolean {
    return this.rows * this.rowHeight > this.highest;
  }

  get pageRows(): number {
    return Math.max(1, Math.floor(this.view / this.rowHeight) - 1);
  }

  resize(total: number, viewHeight: number): void {
    this.rows = total;
    this.view = viewHeight;
    this.moveTo(this.offset);
  }

  moveTo(top: number): void {
    this.offset = Math.max(0, Math.min(top, this.last));
    this.shown = this.scrollTop;
  }

  /** Where the scroll bar must stand. */
  get scrollTop(): number {
    return this.scaled ? (this.offset / this.last) * (this.highest - this.view) : this.offset;
  }

  /** The scroller says where it stands; what it was just told, rounded, changes nothing. */
  scrolled(scrollTop: number): void {
    if (Math.abs(scrollTop - this.shown) < 1) return;
    this.shown = scrollTop;
    const top = this.scaled ? (scrollTop / (this.highest - this.view)) * this.last : scrollTop;
    this.offset = Math.max(0, Math.min(top, this.last));
  }

  /** Moves as little as needed for a row to be wholly seen; true when it moved. */
  bringIntoView(row: number): boolean {
    const before = this.offset;
    const start = row * this.rowHeight;
    if (start < this.offset) this.moveTo(start);
    else if (start + this.rowHeight > this.offset + this.view) this.moveTo(start + this.rowHeight - this.view);
    return this.offset !== before;
  }

  /** Puts a row a third down unless it is seen already. */
  center(row: number): void {
    const start = row * this.rowHeight;
    if (start < this.offset || start + this.rowHeight > this.offset + this.view) this.moveTo(start - this.view / 3);
  }

  /** Rows [from, to) that are seen, wholly or in part. */
  seen(): { from: number; to: number } {
    const from = Math.min(Math.floor(this.offset / this.rowHeight), Math.max(0, this.rows - 1));
    return { from, to: Math.min(this.rows, Math.ceil((this.offset + this.view) / this.rowHeight)) };
  }

  private get last(): number {
    return Math.max(0, this.rows * this.rowHeight - this.view);
  }
}
