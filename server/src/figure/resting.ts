/** Tables that are not used while this guest runs, in one line: their entries by name, as far as they lead. */
import type { TableEntry, TableWalk } from '../protocol/translation';
import type { Placed } from './grid';
import { box, line, part, text, textWidth } from './shapes';
import type { Font, Part } from './shapes';
import { WHOSE, entryName, titleOf, usedBy } from './words';

const TABLE: Font = { size: 10.5, bold: true };
const ABOUT: Font = { size: 9.5 };
const CELL: Font = { size: 9, mono: true };
const HEIGHT = 13.5;
const GAP = 7;

export function resting(walk: TableWalk, y: number, width: number): Placed {
  const name = text(0, y + 10, walk.table, `table ${walk.stage}`, TABLE);
  const about = text(name.width + 5, y + 10, `${WHOSE[walk.owner]}  ${usedBy(walk)}`, 'about', ABOUT);
  const parts: Part[] = [part('title', [name, about], { name: titleOf(walk) })];
  let x = about.x + about.width + GAP;
  let top = y;
  const put = (said: string, look: string, more: Partial<Part>): void => {
    const wide = textWidth(said, CELL) + 6;
    if (x + wide > width) [x, top] = [0, top + HEIGHT + 3];
    else if (parts.length > 1) parts.push(part('way', [line([[x - GAP, top + 6.5], [x, top + 6.5]], 'thread', true)])); // prettier-ignore
    parts.push(part(look, [box(x, top, wide, HEIGHT - 1, 'ground'), text(x + 3, top + 9.5, said, 'label', CELL)], more));
    x += wide + GAP;
  };
  const stop = ({ space, address }: TableWalk['from']): void =>
    put(`${space} ${address}`, `stop ${space.toLowerCase()} resting`, { name: `${space} ${address}` });
  stop(walk.from);
  for (const entry of walk.entries) put(said(entry), `entry ${walk.stage} idle`, { name: entryName(walk, entry), of: { walk, entry } });
  if (walk.to) stop(walk.to);
  return { parts, height: top + HEIGHT - y };
}

function said({ label, index, note }: TableEntry): string {
  return `${label}[${index}]${note === 'not present' ? ' not present' : ''}`;
}
