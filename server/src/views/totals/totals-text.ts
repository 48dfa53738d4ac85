/** Totals as lines of text: exits and references as tables with bars, what `kvm_stat` and events count in a line or two. */
import { plural } from '../../events/wording';
import type { CountLine, NamedCount, Totals } from '../../protocol/totals';
import { sum } from './named';
import { exitLines, referenceLine } from './tables';

/** Characters of the longest bar. */
const BAR = 20;
/** Eighths of a character, from none on. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** `████▌`: a part of the whole, at least an eighth of a character where there is any. */
function bar(count: number, most: number): string {
  if (count <= 0 || most <= 0) return '';
  const eighths = Math.max(1, Math.round((count / most) * BAR * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

/** Columns at the left that say what is counted, and of a name at least. */
const TITLE = 12;
const NAME = 16;

/** @param room columns of a line at most */
export function totalsLines(totals: Totals, room: number): string[] {
  const { exits, references, statistics, events } = totals;
  const [ofExits, ofReferences] = [bars(exitLines(exits), room - TITLE), bars(references.map(referenceLine), room - TITLE)];
  const list = (counts: readonly NamedCount[]): string[] =>
    filled(
      counts.map(({ name, count }) => `${name} ${count}`),
      room - TITLE,
    );
  return [
    ...titled('exits', ofExits),
    ...titled('references', ofReferences),
    ...titled('kvm_stat', list(statistics)),
    ...titled('events', shortened(list(events), events)),
  ];
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => (index === 0 ? title : '').padEnd(TITLE) + line);
}

function bars(lines: readonly CountLine[], room: number): string[] {
  const widest = Math.max(NAME, ...lines.map(({ name }) => name.length));
  const digits = Math.max(...lines.map(({ count }) => String(count).length));
  const most = Math.max(...lines.map(({ count }) => count));
  return lines.map(({ name, count, note }) => {
    const head = `${name.padEnd(widest)}  ${String(count).padStart(digits)}  `;
    const drawn = `${head}${bar(count, most).padEnd(note ? BAR : 0)}  ${note}`.trimEnd();
    return drawn.length <= room ? drawn : `${head}${note}`.trimEnd();
  });
}

/** Lines of events that are shown; those that are rare stand last. */
const MOST_EVENT_LINES = 2;

function shortened(lines: readonly string[], events: readonly NamedCount[]): string[] {
  if (lines.length <= MOST_EVENT_LINES) return [...lines];
  const shown = lines.slice(0, MOST_EVENT_LINES);
  const names = shown.join(' · ').split(' · ').length;
  return [...shown, `and ${plural(sum(events.slice(names)), 'event')} of ${plural(events.length - names, 'other name')}`];
}

/** Names with their counts, as many in a line as there is room for. */
function filled(items: readonly string[], room: number): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 3 + item.length <= room) lines[lines.length - 1] = `${last} · ${item}`;
    else lines.push(item);
  }
  return lines;
}
