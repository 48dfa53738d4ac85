/** What somebody wrote, as Markdown that shows just that: no link, no picture, no markup of their own. */

/** Characters of a definition that are shown. */
const MOST_OF_CODE = 400;

/** A text as it stands, line by line. Any character that Markdown could read as markup is escaped (CommonMark, §2.4). */
export function plainText(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim().replace(/[!-/:-@[-`{-~]/g, '\\$&'))
    .join('  \n');
}

/** Code of the language in a fence that nothing in it can end (CommonMark, §4.5). */
export function code(text: string): string {
  const shown = text.length > MOST_OF_CODE ? `${text.slice(0, MOST_OF_CODE)}…` : text;
  const ticks = Math.max(2, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(ticks + 1);
  return `${fence}mmu\n${shown}\n${fence}`;
}
