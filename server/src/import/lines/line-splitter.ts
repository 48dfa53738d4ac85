/** Bytes to lines, as they come: what is kept between two pieces is the beginning of a line. */

/** Longer lines are cut: no event of the kernel comes near. */
const LONGEST_LINE = 1 << 16;

const NEWLINE = 10;

/** @param line without its end; @param number from 1; @param offset in bytes, of its beginning */
type OnLine = (line: string, number: number, offset: number) => void;

export class LineSplitter {
  /** Lines that have ended. */
  lines = 0;
  bytes = 0;
  /** Lines of which only the beginning was taken. */
  cut = 0;
  private rest = new Uint8Array(0);
  /** The rest of a line that was cut is passed over. */
  private skipping = false;
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: false });

  constructor(private readonly onLine: OnLine) {}

  push(piece: Uint8Array): void {
    const last = piece.lastIndexOf(NEWLINE);
    if (last < 0) return this.keep(piece);
    this.split(this.joined(piece.subarray(0, last + 1)));
    this.keep(piece.subarray(last + 1));
  }

  /** The last line, when nothing ends it. */
  end(): void {
    if (this.rest.length > 0) this.split(this.joined(new Uint8Array(0)));
  }

  private joined(piece: Uint8Array): Uint8Array {
    if (this.rest.length === 0) return piece;
    const whole = new Uint8Array(this.rest.length + piece.length);
    whole.set(this.rest);
    whole.set(piece, this.rest.length);
    this.rest = new Uint8Array(0);
    return whole;
  }

  private keep(piece: Uint8Array): void {
    if (this.skipping) {
      this.bytes += piece.length;
      return;
    }
    this.rest = this.joined(piece).slice();
    if (this.rest.length <= LONGEST_LINE) return;
    // Its beginning is a line of its own; what follows up to its end is passed over.
    this.cut++;
    this.emit(this.decoder.decode(this.rest.subarray(0, LONGEST_LINE)), this.bytes);
    this.bytes += this.rest.length;
    this.rest = new Uint8Array(0);
    this.skipping = true;
  }

  /** Whole lines, and perhaps a last one without an end. */
  private split(whole: Uint8Array): void {
    let bytes = whole;
    if (this.skipping) {
      const end = whole.indexOf(NEWLINE) + 1;
      this.bytes += end;
      bytes = whole.subarray(end);
      this.skipping = false;
    }
    const text = this.decoder.decode(bytes);
    const isAscii = text.length === bytes.length;
    let offset = this.bytes;
    for (let from = 0; from < text.length;) {
      const found = text.indexOf('\n', from);
      const end = found < 0 ? text.length : found;
      const line = text.slice(from, text.charCodeAt(end - 1) === 13 ? end - 1 : end);
      this.emit(line, offset);
      offset += isAscii ? end + 1 - from : utf8Length(text, from, end) + 1;
      from = end + 1;
    }
    this.bytes += bytes.length;
  }

  private emit(line: string, offset: number): void {
    this.lines++;
    this.onLine(line, this.lines, offset);
  }
}

function utf8Length(text: string, from: number, to: number): number {
  let length = 0;
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a pair of surrogates counts two of its four bytes.
    length += unit < 0x80 ? 1 : unit < 0x800 || (unit & 0xf800) === 0xd800 ? 2 : 3;
  }
  return length;
}
