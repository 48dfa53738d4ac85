/** A figure as SVG: shapes with their looks as classes, so that one style (style.ts) gives them colours, in a page and in a file. */
import { text } from './shapes';
import type { Figure, Font, Line, Part, Shape } from './shapes';
import { fileStyle, figureStyle } from './style';

/** Head of an arrow, from its tip backwards and to each side. */
const HEAD = 4.5;
const HALF = 2.4;

/** Markup for a page that has {@link figureStyle}. The index of an entry's part is its `data-part`. */
export function svgMarkup(figure: Figure): string {
  return markup(figure, {});
}

/** A figure with what stands above it. */
interface Titled {
  readonly title: string;
  readonly figure: Figure;
}

const EDGE = 12;
const TITLE: Font = { size: 12, bold: true };
const TITLE_HEIGHT = 22;

/** A file of its own, the figures beneath one another: no script, nothing from elsewhere; light or dark as its reader prefers. */
export function svgFile(figures: readonly Titled[]): string {
  const width = Math.max(...figures.map(({ figure }) => figure.width)) + 2 * EDGE;
  let y = EDGE;
  const content = figures.map(({ title, figure }) => {
    const head = drawn(text(EDGE, y + TITLE.size, title, 'title', TITLE));
    y += TITLE_HEIGHT;
    const body = markup(figure, { x: EDGE, y });
    y += figure.height + EDGE;
    return head + body;
  });
  const style = element('style', {}, fileStyle() + figureStyle());
  const paper = element('rect', { class: 'paper', width, height: y });
  const attributes = { xmlns: XMLNS, class: 'figure', viewBox: `0 0 ${width} ${y}`, width, height: y };
  return `${element('svg', attributes, style + paper + content.join(''))}\n`;
}

const XMLNS = 'http://www.w3.org/2000/svg';

function markup({ width, height, name, parts }: Figure, place: { readonly x?: number; readonly y?: number }): string {
  // The lines around the outermost boxes are half outside of them.
  const viewBox = `-1 -1 ${width} ${height}`;
  const attributes = { xmlns: XMLNS, class: 'figure', ...place, viewBox, width, height, role: 'group', 'aria-label': name };
  return element('svg', attributes, parts.map(group).join(''));
}

function group({ look, name, of, section, shapes }: Part, index: number): string {
  const content = `${name === null || of === null ? '' : `<title>${escaped(name)}</title>`}${shapes.map(drawn).join('')}`;
  const entry: Attributes = of === null ? {} : { 'data-part': index, 'data-reference': of.entry.reference };
  const said: Attributes = name === null ? { 'aria-hidden': 'true' } : { role: 'img', 'aria-label': name };
  return element('g', { class: look, ...said, ...entry, 'data-section': section }, content);
}

function drawn(shape: Shape): string {
  switch (shape.kind) {
    case 'box': {
      const { x, y, width, height, round, look } = shape;
      return element('rect', { class: look, x: rounded(x), y: rounded(y), width: rounded(width), height: rounded(height), rx: round });
    }
    case 'text': {
      const { x, y, text: said, size, mono, bold, look } = shape;
      const font = [mono && 'mono', bold && 'bold', look].filter(Boolean).join(' ');
      return element('text', { class: font, x: rounded(x), y: rounded(y), 'font-size': size, 'xml:space': 'preserve' }, escaped(said));
    }
    case 'line':
      return path(shape);
  }
}

function path({ points, arrow, look }: Line): string {
  const way = `M${points.map(([x, y]) => `${rounded(x)} ${rounded(y)}`).join('L')}`;
  const stroke = element('path', { class: look, d: way });
  if (!arrow) return stroke;
  const [[x1, y1], [x2, y2]] = points.slice(-2);
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [dx, dy] = length === 0 ? [1, 0] : [(x2 - x1) / length, (y2 - y1) / length];
  const corner = (side: number): string => `${rounded(x2 - dx * HEAD - dy * side * HALF)} ${rounded(y2 - dy * HEAD + dx * side * HALF)}`;
  return stroke + element('path', { class: `${look} head`, d: `M${rounded(x2)} ${rounded(y2)}L${corner(1)}L${corner(-1)}Z` });
}

/** Those that are null are left out. */
type Attributes = { readonly [name: string]: string | number | null };

function element(tag: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
  return content === '' ? `<${tag}${written}/>` : `<${tag}${written}>${content}</${tag}>`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

const ENTITIES: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(said: string): string {
  return said.replace(/[&<>"]/g, (character) => ENTITIES[character]);
}
