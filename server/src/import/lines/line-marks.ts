/** Lines of a recording that are no events: comments, separators, stack traces, words of its printer. */

type Mark =
  /** Comments of the kernel, words of trace-cmd, `--` of grep, `...` of whoever left lines out, fences of a page. */
  | { readonly kind: 'mark' }
  /** A frame of a stack trace: it belongs to the event before it. */
  | { readonly kind: 'stack' }
  /** Events that the buffer has lost. */
  | { readonly kind: 'lost'; readonly count: number };

const MARK: Mark = { kind: 'mark' };
const STACK: Mark = { kind: 'stack' };

/** trace.c: print_event_info. */
const WRITTEN = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)/;

/** trace_output.c, trace-cmd's trace-read.c. */
const LOST = /^\s*CPU:?\s*\d+ \[(?:LOST )?(\d+) EVENTS(?: DROPPED)?\]/;
const WORDS =
  /^\s*(?:CPU \d+ is empty|cpus=\d+|version = \S+|(?:trace:|\S+\.dat:)\s+\S.*|-{2,}|\.{2,}|…|\[(?:\.{3}|…|snip)\]|<\.{3}>|`{3,}\w*)\s*$/i;

/** ` => vmx_handle_exit` of ftrace, `	ffffffffc0a2b3c4 vmx_vcpu_run+0x1a4 ([kvm_intel])` of perf. */
const FRAME = /^\s*=>\s|^\s+[0-9a-f]{6,16} \S+.*\(\S*\)\s*$/;

/** What a line is that has no head; null: any other text. */
export function lineMark(line: string): Mark | null {
  if (/^\s*$/.test(line)) return MARK;
  if (line.startsWith('#')) {
    const written = WRITTEN.exec(line);
    return written ? { kind: 'lost', count: Math.max(0, Number(written[2]) - Number(written[1])) } : MARK;
  }
  const lost = LOST.exec(line);
  if (lost) return { kind: 'lost', count: Number(lost[1]) };
  if (FRAME.test(line)) return STACK;
  return WORDS.test(line) ? MARK : null;
}

/** What others put before lines: quotes of a mail, a console's time, the numbers of `grep -n`. */
const PREFIXES = [/^(?:>[ \t]?)+/, /^\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])?\s/, /^(?:[\w./-]+[:-])?\d+[:-](?=\s|\S)/];

/** The line without one of these; null: it has none. */
export function withoutPrefix(line: string): string | null {
  for (const prefix of PREFIXES) {
    const found = prefix.exec(line);
    if (found) return line.slice(found[0].length);
  }
  return null;
}
