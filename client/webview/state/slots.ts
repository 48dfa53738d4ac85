/** Memory slots to scale: guest-physical addresses above, the VMM's virtual ones, the memory beneath; page sizes and dirty pages. */
import type { MemoryMap, MemoryPiece, MemorySlotMap } from '../../../server/src/protocol/state';
import { el, svg } from '../dom';
import { Scale } from './scale';

const LABEL = 38;
const LANE = 20;
const LINK = 18;
const TOP = 4;
/** Characters of a label need so many pixels each. */
const CHARACTER = 6.6;

/** The strips of all VMs that have slots. @param width of the strip in pixels */
export function drawSlots(maps: readonly MemoryMap[], width: number): HTMLElement {
  const strips = maps.filter(({ slots }) => slots.length > 0).map((map) => strip(map, maps.length > 1, Math.max(240, width)));
  return el('div', { class: 'slots' }, ...strips, strips.length > 0 ? legend() : el('p', { class: 'note', text: 'No memory slots' }));
}

function strip({ vm, spaces, slots }: MemoryMap, named: boolean, width: number): HTMLElement {
  const line = width - LABEL - 2;
  const there = slots.flatMap(({ pieces }) => pieces.filter((each): each is MemoryPiece & { hpa: number } => each.hpa !== null));
  const physical = new Scale(
    slots.map(({ gpa: from, size }) => ({ from, size })),
    line,
  );
  const virtual = new Scale(
    slots.map(({ hva: from, size }) => ({ from, size })),
    line,
  );
  const below = new Scale(
    there.map(({ hpa: from, size }) => ({ from, size })),
    line,
  );
  const y = [TOP, TOP + LANE + LINK, TOP + 2 * (LANE + LINK)];
  const height = y[2] + LANE + TOP;
  const parts: SVGElement[] = [
    ...[spaces.physical, spaces.virtual, spaces.below].map((name, i) => text(0, y[i] + 14, name, 'lane-label')),
    ...[physical, virtual, below].flatMap((scale, i) => gaps(scale, y[i])),
  ];
  slots.forEach((slot, i) => {
    const { gpa, hva, size } = slot;
    const tone = `tone${i % 4}`;
    const [from, to] = [physical.at(gpa), physical.at(gpa + size)];
    const [first, last] = [virtual.at(hva), virtual.at(hva + size)];
    parts.push(link(from, to, y[0] + LANE, first, last, y[1], tone));
    parts.push(box(from, to, y[0], `slot ${tone}${slot.readonly ? ' readonly' : ''}`, slotTitle(slot, spaces.physical)));
    parts.push(...dirtyTicks(slot, physical, y[0]));
    parts.push(...label(slot.name.replace('slot ', ''), from, to, y[0]));
    for (const piece of slot.pieces) {
      const at = hva + piece.gpa - gpa;
      const [left, right] = [virtual.at(at), virtual.at(at + piece.size)];
      parts.push(
        box(left, right, y[1], `piece ${piece.hpa === null ? 'absent' : `size${piece.pageSize}`}`, pieceTitle(piece, at, spaces.below)),
      );
      if (piece.hpa === null || piece.zero) continue;
      const [low, high] = [below.at(piece.hpa), below.at(piece.hpa + piece.size)];
      parts.push(link(left, right, y[1] + LANE, low, high, y[2], tone));
      parts.push(box(low, high, y[2], `piece size${piece.pageSize} ${tone}`, pieceTitle(piece, at, spaces.below)));
    }
  });
  const drawing = svg('svg', { class: 'strip-of-slots', width, height, role: 'img', 'aria-label': spoken(vm, slots) }, ...parts);
  return el('figure', {}, named && el('figcaption', { text: vm }), drawing);
}

function text(x: number, y: number, what: string, className: string): SVGElement {
  const element = svg('text', { x, y, class: className });
  element.textContent = what;
  return element;
}

function gaps(scale: Scale, y: number): SVGElement[] {
  return scale.parts
    .filter(({ gap }) => gap)
    .map(({ x, width, size }) => {
      const line = svg('line', { x1: LABEL + x + 2, x2: LABEL + x + width - 2, y1: y + LANE / 2, y2: y + LANE / 2, class: 'gap' });
      line.append(title(`nothing for ${bytesText(size)}`));
      return line;
    });
}

function box(from: number, to: number, y: number, className: string, what: string): SVGElement {
  const rect = svg('rect', { x: LABEL + from, y, width: Math.max(1, to - from), height: LANE, class: className });
  rect.append(title(what));
  return rect;
}

function link(from: number, to: number, y: number, low: number, high: number, below: number, tone: string): SVGElement {
  const points = [
    [from, y],
    [Math.max(to, from + 1), y],
    [Math.max(high, low + 1), below],
    [low, below],
  ];
  return svg('polygon', { points: points.map(([x, at]) => `${LABEL + x},${at}`).join(' '), class: `link ${tone}` });
}

function label(name: string, from: number, to: number, y: number): SVGElement[] {
  return to - from > name.length * CHARACTER + 4 ? [text(LABEL + (from + to) / 2, y + 14, name, 'slot-label')] : [];
}

function dirtyTicks({ dirty }: MemorySlotMap, scale: Scale, y: number): SVGElement[] {
  return dirty.map(({ gpa, size }) => {
    const [from, to] = [scale.at(gpa), scale.at(gpa + size)];
    const tick = svg('rect', { x: LABEL + from, y: y + LANE - 5, width: Math.max(1.5, to - from), height: 5, class: 'dirty' });
    tick.append(title(`dirty: ${addressText(gpa)} +${bytesText(size)}`));
    return tick;
  });
}

function title(what: string): SVGElement {
  const element = svg('title', {});
  element.textContent = what;
  return element;
}

function slotTitle({ name, gpa, size, hva, readonly, logs, invalid, dirty }: MemorySlotMap, space: string): string {
  const flags = [readonly && 'read-only', logs && `logs dirty pages (${dirty.length} runs dirty)`, invalid && 'INVALID'].filter(Boolean);
  return [`${name}: ${space.toLowerCase()} ${addressText(gpa)} +${bytesText(size)}, hva ${addressText(hva)}`, ...flags].join(', ');
}

function pieceTitle({ gpa, size, hpa, pageSize, writable, zero }: MemoryPiece, hva: number, below: string): string {
  const where =
    hpa === null ? 'no page yet' : zero ? 'the shared zero page' : `${below.toLowerCase()} ${addressText(hpa)}, pages of ${pageSize}`;
  return `gpa ${addressText(gpa)} +${bytesText(size)}, hva ${addressText(hva)}: ${where}${hpa !== null && !writable && !zero ? ', read-only' : ''}`;
}

function spoken(vm: string, slots: readonly MemorySlotMap[]): string {
  return `Memory slots of ${vm}: ${slots.map((slot) => slotTitle(slot, 'GPA')).join('; ')}`;
}

function legend(): HTMLElement {
  const item = (className: string, what: string): HTMLElement => el('span', { class: `key ${className}` }, el('i', {}), what);
  return el(
    'p',
    { class: 'legend' },
    item('size4K', 'pages of 4K'),
    item('size2M', '2M'),
    item('size1G', '1G'),
    item('absent', 'no page yet'),
    item('readonly', 'read-only'),
    item('dirty', 'dirty'),
    item('gap', 'gap, as its logarithm'),
  );
}

/** As the server writes them. */
function addressText(address: number): string {
  return `0x${address.toString(16).replace(/\B(?=([0-9a-f]{4})+$)/g, '_')}`;
}

function bytesText(size: number): string {
  const units = ['', 'K', 'M', 'G', 'T'];
  let unit = 0;
  while (size >= 1024 && size % 1024 === 0 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size}${units[unit]}`;
}
