/** What must be so of every figure: it has each entry once, with what the way says of it, and nothing in it overlaps or is cut. */
import assert from 'node:assert/strict';
import type { Box, Figure, Part, Text } from '../../server/src/figure/shapes';
import { figureOf } from '../../server/src/figure/figure';
import { svgMarkup } from '../../server/src/figure/svg';
import type { TranslationView } from '../../server/src/protocol/translation';
import { everyEntry } from '../../server/src/views/way/every-entry';

const texts = ({ shapes }: Part): Text[] => shapes.filter((each): each is Text => each.kind === 'text');
const said = (each: Part): string[] => texts(each).map(({ text }) => text);

/** @param width pixels that there are */
export function holdFigure(way: TranslationView, width?: number): Figure {
  const figure = figureOf(way, { width });
  holdEntries(way, figure);
  holdPlaces(figure);
  holdPlaces(figureOf(way, { width, scale: true }));
  const [first] = figure.parts;
  assert.deepEqual([said(first).join('').startsWith(way.end.what), first.look], [true, `verdict ${way.end.kind}`]);
  for (const { address } of way.stations) if (address !== null) assert.ok(figure.parts.some((each) => said(each).includes(address)));
  assert.ok(svgMarkup(figure).startsWith('<svg'));
  return figure;
}

/** The cells are the entries of the way, in any order: numbers, names, values, what denies. */
function holdEntries(way: TranslationView, { parts }: Figure): void {
  const cells = new Map(parts.filter(({ of }) => of !== null).map((each) => [each.of!.entry, each]));
  const entries = everyEntry(way).map(({ entry }) => entry);
  assert.equal(cells.size, entries.length);
  for (const entry of entries) {
    const found = cells.get(entry)!;
    const { label, index, value, reference, bits, state, decides } = entry;
    const words = said(found);
    assert.ok(words.some((each) => each === `${label}[${index}]` || each.startsWith(`${label}[${index}] `)));
    if (value !== null && state !== 'idle') assert.ok(words.some((each) => each === value || each.startsWith(`${value},`)));
    assert.equal(words.includes(String(reference)), reference !== null);
    for (const { name, denies } of bits) if (denies) assert.ok(words.includes(name), `${name} of ${label} is seen`);
    assert.deepEqual([found.look.includes(state), found.look.includes('decides')], [true, decides !== null]);
  }
}

/** Texts overlap neither each other nor the edges of what they stand in. */
function holdPlaces({ width, height, parts }: Figure): void {
  const placed: { readonly text: Text; readonly part: Part }[] = [];
  for (const part of parts) {
    const ground = part.shapes.find((each): each is Box => each.kind === 'box' && each.look === 'ground');
    for (const text of texts(part)) {
      const [left, right, top, bottom] = edges(text);
      const [x, y, w, h] = ground ? [ground.x, ground.y, ground.width, ground.height] : [0, 0, width - 2, height - 2];
      assert.ok(left >= x && right <= x + w + 0.01 && top >= y - 1 && bottom <= y + h + 1, `${text.text} is cut`);
      placed.push({ text, part });
    }
  }
  placed.sort((a, b) => a.text.y - b.text.y);
  for (const [i, { text }] of placed.entries()) {
    const [left, right, , bottom] = edges(text);
    for (let j = i + 1; j < placed.length; j++) {
      const [otherLeft, otherRight, otherTop] = edges(placed[j].text);
      if (placed[j].text.y - text.y > 20) break;
      const apart = otherTop >= bottom - 0.5 || otherLeft >= right - 0.01 || left >= otherRight - 0.01;
      assert.ok(apart, `${text.text} and ${placed[j].text.text} overlap`);
    }
  }
}

/** Capitals and digits are 0.75 of the em high; little hangs below the base line. */
function edges({ x, y, width, size }: Text): readonly [left: number, right: number, top: number, bottom: number] {
  return [x, x + width, y - 0.75 * size, y + 0.12 * size];
}
