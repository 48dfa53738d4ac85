/** What an access comes to, on top of its figure: the outcome with its reason, what comes before it, and what else there is to say. */
import type { TranslationView, Verdict } from '../protocol/translation';
import type { Placed } from './grid';
import { box, part, text, textWidth, wrapped } from './shapes';
import type { Font, Part, Text } from './shapes';

const WHAT: Font = { size: 13, mono: true, bold: true };
const WHY: Font = { size: 11, mono: true };
const FIRST: Font = { size: 10, mono: true };
const NOTE: Font = { size: 9.5 };
const MARGIN = 7;

export function outcome(view: TranslationView, y: number, width: number): Placed {
  const { now, end } = view;
  const last = verdict(end, '', WHAT, y, width);
  const parts = [...last.parts];
  let top = y + last.height;
  const stack = (placed: Placed): void => {
    parts.push(...placed.parts);
    top += placed.height;
  };
  const beside = besideOf(view, y, last.width + 2 * MARGIN, width);
  if (beside) parts.push(beside);
  if (now !== null && now.kind === 'exit' && now.what !== end.what) stack(verdict(now, 'exits first: ', FIRST, top + 2, width));
  if (!beside) stack(notes(view, top + 2, width));
  return { parts, height: top + 2 - y };
}

function verdict(
  { kind, what, why, section }: Verdict,
  before: string,
  font: Font,
  y: number,
  width: number,
): Placed & { readonly width: number } {
  const small = font === FIRST;
  const whyFont = small ? FIRST : WHY;
  const head = before === '' ? '' : before;
  const base = y + font.size + 3;
  const shapes: Text[] = [];
  let x = MARGIN;
  const say = (said: string, look: string, of: Font, at: number): void => {
    const shape = text(x, at, said, look, of);
    shapes.push(shape);
    x += shape.width;
  };
  if (head) say(head, 'about', FIRST, base);
  say(what, 'what', small ? { ...FIRST, bold: true } : font, base);
  let bottom = base;
  if (why !== null) {
    say(':', 'why', whyFont, base);
    x += textWidth(' ', whyFont);
    const [first, ...more] = wrappedFrom(why, width - MARGIN - x, width - 2 * MARGIN, whyFont);
    if (first) say(first, 'why', whyFont, base);
    for (const said of more) {
      bottom += whyFont.size + 3;
      shapes.push(text(MARGIN, bottom, said, 'why', whyFont));
    }
  }
  const wide = Math.max(...shapes.map((shape) => shape.x + shape.width)) + MARGIN;
  const height = bottom + 5 - y;
  const name = `${before}${what}${why === null ? '' : `: ${why}`}`;
  const ground = box(0.5, y + 0.5, wide, height - 1, 'ground', 4);
  return { parts: [part(`verdict ${kind}${small ? ' first' : ''}`, [ground, ...shapes], { name, section })], height, width: wide };
}

/** Lines of which the first has another width. */
function wrappedFrom(said: string, first: number, most: number, font: Font): string[] {
  const [start] = wrapped(said, first, font);
  if (textWidth(start, font) > first) return ['', ...wrapped(said, most, font)];
  const rest = said.slice(start.length + 1);
  return rest === '' ? [start] : [start, ...wrapped(rest, most, font)];
}

/** What the TLB has, and the notes. */
function said({ notes: all, cached }: TranslationView): { readonly text: string; readonly look: string }[] {
  const found = [];
  if (cached) {
    const parts = [cached.text, cached.stale && `stale: ${cached.stale}`, !cached.serves && 'does not serve this access'];
    found.push({ text: parts.filter(Boolean).join(' · '), look: cached.stale === null ? 'about' : 'about stale' });
  }
  if (all.length > 0) found.push({ text: all.join(' · '), look: 'about' });
  return found;
}

/** Beside the outcome, where there is room; null: there is not. */
function besideOf(view: TranslationView, y: number, from: number, width: number): Part | null {
  const lines = said(view);
  if (lines.length === 0 || lines.some((each) => from + textWidth(each.text, NOTE) > width)) return null;
  const base = y + (lines.length === 1 ? 15 : 10);
  return part(
    'note',
    lines.map((each, i) => text(from, base + i * (NOTE.size + 2.5), each.text, each.look, NOTE)),
    { name: lines.map((each) => each.text).join('; ') },
  );
}

function notes(view: TranslationView, y: number, width: number): Placed {
  let base = y;
  const parts = said(view).map((each) => {
    const lines = wrapped(each.text, width, NOTE).map((one) => text(1, (base += NOTE.size + 3), one, each.look, NOTE));
    return part('note', lines, { name: each.text });
  });
  return { parts, height: base === y ? 0 : base + 4 - y };
}
