/** Counts as tables with bars: one look for whatever is counted. */
import type { CountTable } from '../../../server/src/protocol/totals';
import { el } from '../dom';

export function drawTable({ title, lines }: CountTable): HTMLElement {
  const most = Math.max(...lines.map(({ count }) => count));
  const rows = lines.map(({ name, count, note }) =>
    el(
      'tr',
      {},
      el('th', { text: name, title: note || name, attributes: { scope: 'row' } }),
      el('td', { class: 'count', text: count.toLocaleString('en') }),
      el('td', { class: 'share' }, drawBar(count, most)),
      el('td', { class: 'note', text: note }),
    ),
  );
  return el('table', { class: 'counts' }, el('caption', { text: title }), el('tbody', {}, ...rows));
}

/** A part of the largest, in percent of the room. */
export function drawBar(count: number, most: number): HTMLElement {
  const bar = el('span', { class: 'bar', attributes: { 'aria-hidden': 'true' } });
  bar.style.setProperty('--part', `${most > 0 ? Math.max(0, (100 * count) / most) : 0}%`);
  return bar;
}
