/**
 * Lines to events of KVM, in one pass and with nothing kept but counts. An event that a mailer has wrapped is put together again: lines
 * behind it that are none of a trace go on with its text, as far as it can be read then.
 */
import { knownEvent, readAnyText } from '../events/kernel-text/kernel-text';
import type { Values } from '../events/kernel-text/text';
import { isBrokenHead, lineHead, type LineHead } from './lines/line-head';
import { lineMark, withoutPrefix } from './lines/line-marks';
import { LineSplitter } from './lines/line-splitter';
import { Problems } from './problems';
import { detached, ReadCounts } from './read-counts';
import type { TraceEvent } from './trace-event';

/** Lines that a text can be wrapped into. */
const MOST_WRAPS = 6;

/** An event whose text may go on. */
interface Pending {
  readonly head: LineHead;
  readonly line: number;
  readonly offset: number;
  said: string;
  values: Values | null;
  lines: number;
  /** Lines behind it that have not been read with it yet. */
  readonly behind: { readonly line: number; readonly text: string }[];
}

export class TraceReader {
  readonly counts = new ReadCounts();
  readonly problems = new Problems();
  private readonly splitter = new LineSplitter((line, number, offset) => this.take(line, number, offset));
  private pending: Pending | null = null;
  /** A head without its end, and where it stood. */
  private broken: { readonly text: string; readonly line: number; readonly offset: number } | null = null;

  /** @param onEvent gets the events of KVM in their order */
  constructor(private readonly onEvent: (event: TraceEvent) => void) {}

  get lines(): number {
    return this.splitter.lines;
  }

  get bytes(): number {
    return this.splitter.bytes;
  }

  push(piece: Uint8Array): void {
    this.splitter.push(piece);
  }

  end(): void {
    this.splitter.end();
    this.giveUpHead();
    this.settle();
    if (this.splitter.cut > 0) this.problems.add('cut-line', 0, `${this.splitter.cut} lines have more than 64K: their ends are left out`);
  }

  private take(given: string, number: number, offset: number): void {
    const line = given.startsWith('>') ? (withoutPrefix(given) ?? given) : given;
    const head = this.headOf(line);
    if (head) {
      this.giveUpHead();
      this.settle();
      this.begin(head, number, offset);
      return;
    }
    const mark = lineMark(line);
    if (mark) {
      if (mark.kind === 'stack') this.counts.stack++;
      else this.counts.marks++;
      if (mark.kind === 'lost' && mark.count > 0) {
        this.counts.lost += mark.count;
        this.problems.add('lost-events', number, `${mark.count} events are lost: the buffer was full`);
      }
      return;
    }
    if (isBrokenHead(line)) {
      this.giveUpHead();
      this.settle();
      this.broken = { text: line, line: number, offset };
      return;
    }
    if (this.broken) this.mendHead(line, number);
    else this.goOn(line, number);
  }

  private headOf(line: string): LineHead | null {
    const head = lineHead(line);
    if (head) return head;
    const bare = withoutPrefix(line);
    return bare === null ? null : lineHead(bare);
  }

  /** A head that ends on this line. */
  private mendHead(line: string, number: number): void {
    const { text, line: from, offset } = this.broken!;
    const head = lineHead(`${text.trimEnd()} ${line.trimStart()}`);
    if (head === null) {
      this.giveUpHead();
      this.goOn(line, number);
      return;
    }
    this.broken = null;
    this.begin(head, from, offset);
    if (this.pending) this.pending.lines = 2;
    this.counts.continued++;
  }

  private giveUpHead(): void {
    if (!this.broken) return;
    this.counts.other(this.broken.line, this.broken.text);
    this.problems.add('cut-line', this.broken.line, 'the line ends before its event');
    this.broken = null;
  }

  private begin(head: LineHead, line: number, offset: number): void {
    const known = knownEvent(head.event);
    if (known === null && !head.event.startsWith('kvm')) {
      this.counts.seen(this.counts.others, head.event, line);
      return;
    }
    const values = known === 'read' ? readAnyText(head.event, head.said) : null;
    this.pending = { head, line, offset, said: head.said, values, lines: 1, behind: [] };
  }

  /** A line without a head: perhaps the text before it goes on. */
  private goOn(line: string, number: number): void {
    const { pending } = this;
    if (!pending || pending.behind.length >= MOST_WRAPS) {
      this.counts.other(number, line);
      return;
    }
    pending.behind.push({ line: number, text: line });
    if (knownEvent(pending.head.event) !== 'read') return;
    const said = [pending.said, ...pending.behind.map(({ text }) => text.trim())].join(' ').trim();
    const values = readAnyText(pending.head.event, said);
    if (!values) return;
    pending.said = said;
    pending.values = values;
    pending.lines += pending.behind.length;
    this.counts.continued += pending.behind.length;
    pending.behind.length = 0;
  }

  /** No more lines can belong to the event. */
  private settle(): void {
    const { pending, counts } = this;
    if (!pending) return;
    this.pending = null;
    const { head, line, offset, said, values, lines, behind } = pending;
    for (const each of behind) counts.other(each.line, each.text);
    counts.events++;
    if (values === null) this.countText(head.event, said, line);
    const { event: name, form, host, comm, pid, tgid, cpu, time, ticks } = head;
    this.onEvent({ line, offset, lines, form, host, comm, pid, tgid, cpu, time, ticks, name, said, values });
  }

  private countText(name: string, said: string, line: number): void {
    const { counts } = this;
    if (knownEvent(name) !== 'read') return counts.seen(counts.keptAsText, name, line);
    counts.seen(counts.unread, name, line);
    const shown = detached(said.length > 80 ? `${said.slice(0, 80)}…` : said);
    this.problems.add('unread-text', line, `no known kernel prints ${name} so, or the line is cut: ${shown}`, name);
  }
}
