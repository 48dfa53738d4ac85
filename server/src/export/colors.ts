/** Terminal colours by meaning. */

export type Paint = (text: string) => string;

/** How a piece of the terminal's output looks, by what it means. */
export interface Palette {
  readonly title: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  readonly address: Paint;
  readonly exit: Paint;
}

const plain: Paint = (text) => text;
const code =
  (open: number, close: number): Paint =>
  (text) =>
    text === '' ? '' : `\x1b[${open}m${text}\x1b[${close}m`;

const COLORS: Palette = {
  title: code(1, 22),
  faint: code(2, 22),
  good: code(32, 39),
  bad: code(31, 39),
  warn: code(33, 39),
  address: code(36, 39),
  exit: code(35, 39),
};

const PLAIN: Palette = { title: plain, faint: plain, good: plain, bad: plain, warn: plain, address: plain, exit: plain };

export function palette(colors: boolean): Palette {
  return colors ? COLORS : PLAIN;
}
