/** Numbers and words as people read them. Every view prints with these, so that all print alike. */
import { hex } from '../engine/bits';

export { hex };

const UNITS = ['', 'K', 'M', 'G', 'T', 'P'];

/** `64M`, `4K`, `12` (bytes): the largest unit that divides. */
export function bytes(size: number): string {
  let unit = 0;
  while (size !== 0 && size % 1024 === 0 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size}${UNITS[unit]}`;
}

/** `1 exit`, `2 exits`; `1 address`, `2 addresses` of a noun with a plural of its own. */
export function plural(count: number, noun: string, several = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : several}`;
}

/** Gathers texts that are there, with ` · ` in between. */
export function joined(...parts: readonly (string | null | undefined | false)[]): string {
  return parts.filter(Boolean).join(' · ');
}

const PAGE = 4096;

/**
 * Pages of 4K by their ascending addresses, neighbours as one range, as the language writes them: `0x1000 +16K, 0x20_0000`.
 * At most `most` ranges; the pages of the others are counted.
 */
export function pageRanges(addresses: readonly number[], most = Infinity): string {
  const ranges: { from: number; pages: number }[] = [];
  for (const address of addresses) {
    const last = ranges.at(-1);
    if (last && last.from + last.pages * PAGE === address) last.pages++;
    else ranges.push({ from: address, pages: 1 });
  }
  const shown = ranges.slice(0, most).map(({ from, pages }) => (pages === 1 ? hex(from) : `${hex(from)} +${bytes(pages * PAGE)}`));
  const rest = ranges.slice(most).reduce((sum, { pages }) => sum + pages, 0);
  return rest > 0 ? `${shown.join(', ')} and ${plural(rest, 'more page')}` : shown.join(', ');
}
