/**
 * The way of an address as a figure: the outcome on top, beneath it a grid for each walk of tables, then the addresses reached. Trace panel,
 * `mmu translate --format svg` and reports draw this one:
 *
 * ```ts
 * const figure = figureOf(translate(view, viewpoint, address, 'gva'));
 * svgMarkup(figure); // for a page that has figureStyle(), and fileStyle() or variables of its own
 * svgFile([{ title: 'guest under ept', figure }]); // a file of its own
 * ```
 */
import type { TranslationView } from '../protocol/translation';
import { Grid } from './grid';
import type { Placed } from './grid';
import { outcome } from './outcome';
import { resting } from './resting';
import type { Figure, Part } from './shapes';
import { strip, stripWidth } from './strip';
import { toScale } from './to-scale';
import { figureName } from './words';

/** Beside an editor of a window of 1440 pixels. */
const USUAL_WIDTH = 690;
/** Between outcome, walks and addresses. */
const GAP = 5;
/** Around all: lines are as wide as they are. */
const EDGE = 1;

interface FigureOptions {
  /** Pixels that there are; a figure that needs more is wider. */
  readonly width?: number;
  /** Address of the entry that is in question, which is marked. */
  readonly current?: string | null;
  /** The addresses reached in their spaces to scale, not in a line. */
  readonly scale?: boolean;
}

export function figureOf(view: TranslationView, { width = USUAL_WIDTH, current = null, scale = false }: FigureOptions = {}): Figure {
  const grids = view.walks.filter(({ by }) => by !== null).map((walk) => new Grid(walk, current));
  const inner = Math.max(width - 2 * EDGE, stripWidth(view.stations), ...grids.map(({ leastWidth }) => leastWidth));
  const parts: Part[] = [];
  let y = 0;
  const stack = ({ parts: placed, height }: Placed): void => {
    parts.push(...placed);
    y += height + GAP;
  };
  stack(outcome(view, y, inner));
  for (const grid of grids) stack(grid.place(y, inner));
  for (const walk of view.walks) if (walk.by === null) stack(resting(walk, y, inner));
  stack(scale && view.maps.length > 0 ? toScale(view.maps, y, inner) : strip(view.stations, y, inner));
  return { width: Math.ceil(inner) + 2 * EDGE, height: Math.ceil(y - GAP) + 2 * EDGE, name: figureName(view), parts };
}
