/**
 * The lanes beside the rows: a line for each actor, the one that acts drawn strong, a stroke across where control passes from one
 * to another. Read downwards they are a sequence drawing of the run.
 */
import type { StepActor, StepRow } from '../../../server/src/protocol/messages';
import { svg } from '../dom';

export const LANE_WIDTH = 22;

/** @param before the row above, when it is known */
export function drawLanes(actors: readonly StepActor[], row: StepRow, before: StepRow | undefined, height: number): SVGSVGElement {
  const width = actors.length * LANE_WIDTH;
  const x = (actor: StepActor) => (actors.indexOf(actor) + 0.5) * LANE_WIDTH;
  const middle = height / 2;
  const parts: SVGElement[] = [];
  for (const actor of actors) {
    const active = actor === row.actor && row.kind !== 'statement';
    // The one that acts is drawn from where control came to it.
    const begins = active && before !== undefined && (before.kind === 'statement' || before.actor !== actor);
    parts.push(svg('line', { class: 'lane', x1: x(actor), y1: 0, x2: x(actor), y2: height }));
    if (active) parts.push(svg('line', { class: `lane active ${actor}`, x1: x(actor), y1: begins ? middle : 0, x2: x(actor), y2: height }));
  }
  if (row.kind !== 'statement' && actors.includes(row.actor)) {
    if (before && before.kind !== 'statement' && before.actor !== row.actor && actors.includes(before.actor)) {
      const from = x(before.actor);
      const to = x(row.actor);
      const side = to > from ? -1 : 1;
      parts.push(
        svg('path', {
          class: `crossing ${row.actor}`,
          d: `M${from} 0 V${middle - 5} Q${from} ${middle} ${from - side * 5} ${middle} H${to + side * 6}`,
        }),
      );
    }
    parts.push(glyph(row, x(row.actor), middle));
  } else if (row.actor === 'user' && actors.includes('user')) parts.push(vmmAct(x('user'), middle));
  return svg('svg', { class: 'lanes', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, ...parts);
}

/** A statement of the host's process, which stands in its lane. */
function vmmAct(x: number, y: number): SVGElement {
  return svg('path', { class: 'glyph act user', d: `M${x - 5} ${y - 5} H${x + 5} V${y + 5} H${x - 5} Z` });
}

/** Kinds differ by shape as well as by colour. */
function glyph({ kind, actor }: StepRow, x: number, y: number): SVGElement {
  const shape = `glyph ${kind} ${actor}`;
  switch (kind) {
    case 'exit':
      return svg('path', { class: shape, d: `M${x - 5} ${y - 6} L${x + 6} ${y} L${x - 5} ${y + 6} Z` });
    case 'entry':
      return svg('path', { class: shape, d: `M${x + 5} ${y - 6} L${x - 6} ${y} L${x + 5} ${y + 6} Z` });
    case 'fault':
      return svg('path', { class: shape, d: `M${x} ${y - 6.5} L${x + 6.5} ${y} L${x} ${y + 6.5} L${x - 6.5} ${y} Z` });
    case 'table':
      return svg('rect', { class: shape, x: x - 4.5, y: y - 4.5, width: 9, height: 9, rx: 1 });
    default:
      return svg('circle', { class: shape, cx: x, cy: y, r: 4 });
  }
}
