/** What a trace consists of: every line is counted somewhere. */

/** How often, and where first. */
export interface Seen {
  count: number;
  readonly line: number;
}

export class ReadCounts {
  /** Events of KVM. */
  events = 0;
  /** Events of KVM that say nothing of memory, or that are not known: kept as text, by name. */
  readonly keptAsText = new Map<string, Seen>();
  /** Events of KVM whose texts nobody who is known prints, by name. */
  readonly unread = new Map<string, Seen>();
  /** Events of other subsystems, by name; '': lines of a function tracer. */
  readonly others = new Map<string, Seen>();
  /** Lines that belong to events already counted: their texts go on, or a stack stands below. */
  continued = 0;
  stack = 0;
  /** Comments, separators, words of a printer, empty lines. */
  marks = 0;
  /** Events that the buffer lost, as it says itself. */
  lost = 0;
  /** Lines that are none of a trace, and the first of them. */
  text = 0;
  readonly firstTexts: { readonly line: number; readonly text: string }[] = [];

  seen(map: Map<string, Seen>, name: string, line: number): void {
    const before = map.get(name);
    if (before) before.count++;
    // A copy: a part of a line would keep all that was read with it.
    else map.set(detached(name), { count: 1, line });
  }

  other(line: number, text: string): void {
    this.text++;
    if (this.firstTexts.length < MOST_TEXTS) this.firstTexts.push({ line, text: detached(text.slice(0, 120)) });
  }
}

const MOST_TEXTS = 5;

/** A string that holds nothing but itself. */
export function detached(text: string): string {
  return [...text].join('');
}
