/** Counts as tables with bars: those of the trace panel, as HTML. */
import type { CountTable } from '../../protocol/totals';
import { markup } from './html';
import type { Html } from './html';

export function countTable({ title, lines }: CountTable): Html {
  const most = Math.max(...lines.map(({ count }) => count));
  return markup`<table class="counts"><caption>${title}</caption><tbody>${lines.map(
    ({ name, count, note }) =>
      markup`<tr><th scope="row">${name}</th><td class="count">${grouped(count)}</td><td class="share"><span class="bar" style="width:${share(count, most)}%"></span></td><td class="note">${note}</td></tr>`,
  )}</tbody></table>`;
}

/** `1,234,567` */
const grouped = (count: number): string => count.toLocaleString('en');

const share = (count: number, most: number): number => (most > 0 ? Math.max(0, Math.round((1000 * count) / most) / 10) : 0);
