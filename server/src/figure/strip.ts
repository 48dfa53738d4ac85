/** The addresses reached in a line, with what leads from one to the next: tables, slots, pages of the memory below. */
import type { Link, Station } from '../protocol/translation';
import { CELL_HEIGHT } from './cell';
import type { Placed } from './grid';
import { line, part, text, textWidth } from './shapes';
import type { Font, Part } from './shapes';
import { stop, stopWidth } from './stop';

const LABEL: Font = { size: 8.5 };
/** At both ends of a label. */
const MARGIN = 5;
/** A line of two rows of labels, the box between. */
const PITCH = CELL_HEIGHT + 6;

/** Links that lead to one address: at most two labels stand above the arrow, the others below. */
function arrow(links: readonly Link[], x: number, y: number): { readonly part: Part; readonly width: number } {
  const above = links.slice(0, Math.ceil(links.length / 2));
  const below = links.slice(above.length);
  const labels = [above, below].map((each) => each.map(({ label }) => label).join(', '));
  const width = Math.max(14, ...labels.map((each) => textWidth(each, LABEL) + 2 * MARGIN));
  const middle = y + CELL_HEIGHT / 2;
  const shapes = labels
    .map((said, i) => text(x + (width - textWidth(said, LABEL)) / 2, middle + (i === 0 ? -3.5 : 10), said, 'link', LABEL))
    .filter(({ text: said }) => said !== '');
  const name = links.map(({ label, note }) => (note ? `${label} (${note})` : label)).join(', ');
  return { part: part('way along', [line([[x, middle], [x + width, middle]], 'thread', true), ...shapes], { name }), width }; // prettier-ignore
}

export function strip(stations: readonly Station[], y: number, width: number): Placed {
  const parts: Part[] = [];
  let x = 0;
  let top = y;
  for (const { space, address, links } of stations) {
    const own = address === null ? 0 : stopWidth(space, address);
    const probe = links.length > 0 ? arrow(links, 0, 0).width : 0;
    if (x > 0 && x + probe + own > width) {
      x = 0;
      top += PITCH;
    }
    if (links.length > 0) {
      const { part: drawn, width: wide } = arrow(links, x, top);
      parts.push(drawn);
      x += wide;
    }
    if (address !== null) parts.push(stop(space, address, x, top, own, 'along'));
    x += own;
  }
  return { parts, height: top + CELL_HEIGHT - y };
}

/** Width of the widest piece that cannot be broken. */
export function stripWidth(stations: readonly Station[]): number {
  return Math.max(
    0,
    ...stations.map(
      ({ space, address, links }) => (links.length > 0 ? arrow(links, 0, 0).width : 0) + (address === null ? 0 : stopWidth(space, address)),
    ),
  );
}
