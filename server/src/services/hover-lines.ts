/** A hover that need not be scrolled: lines of eighty columns, of which those that matter least give way. */

export const MOST_LINES = 11;
const COLUMNS = 80;
/** A space at which no line ends. */
export const TOGETHER = '\u00a0';
/** Before what goes on from the line above. */
const FURTHER = '  ';

export interface Line {
  readonly text: string;
  /** How soon it gives way when there are too many lines; 0: never. */
  readonly rank: 0 | 1 | 2 | 3;
}

/** Lines that a text takes, Markdown's signs left out. */
export function rowsOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(visible(line).length / COLUMNS)), 0);
}

/** What is seen of a line of Markdown. */
function visible(markdown: string): string {
  return markdown.replace(/\]\([^)]*\)/g, ']').replace(/\*\*|\\(?=[!-/:-@[-`{-~])/g, '');
}

/** @param room lines that there are */
export function fitting(lines: readonly Line[], room: number): string[] {
  const kept = lines.filter(({ text }) => text !== '').map((line) => ({ ...line, wrapped: wrapped(line.text) }));
  const count = (): number => kept.reduce((sum, each) => sum + each.wrapped.length, 0);
  let dropped = 0;
  while (count() + (dropped > 0 ? 1 : 0) > room) {
    const last = Math.max(...kept.map(({ rank }) => rank));
    if (last === 0) break;
    kept.splice(kept.map((each): number => each.rank).lastIndexOf(last), 1);
    dropped++;
  }
  const shown = kept.flatMap((each) => each.wrapped);
  return dropped > 0 ? [...shown.slice(0, Math.max(0, room - 1)), '…'] : shown.slice(0, Math.max(0, room));
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= COLUMNS) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : FURTHER + word);
  }
  return lines.map((line) => line.replaceAll(TOGETHER, ' '));
}

/** A block whose columns line up; nothing for no lines. */
export function blockOf(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\`\`\`text\n${lines.join('\n')}\n\`\`\``;
}
