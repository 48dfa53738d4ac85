/** The figure of a way in the page: drawn for the room that there is, walked through by keys, and played reference by reference. */
import { figureOf } from '../../../server/src/figure/figure';
import type { EntryPart, Figure } from '../../../server/src/figure/shapes';
import { figureStyle } from '../../../server/src/figure/style';
import { svgMarkup } from '../../../server/src/figure/svg';
import type { TranslationView } from '../../../server/src/protocol/translation';
import { el } from '../dom';
import { drawEntry } from './entry-line';
import { neighbour } from './neighbour';
import { Player } from './player';

/** Where there is more room than this the figure is drawn larger, not only wider. */
const WIDE = 900;
const LARGEST = 1.7;
/** Smaller than this it cannot be read: it scrolls. */
const SMALLEST = 0.85;

let styled = false;

export class WalkFigure {
  /** Buttons that play it. */
  readonly controls: HTMLElement;
  readonly element: HTMLElement;
  private readonly scroller = el('div', { class: 'scroller' });
  private readonly said = el('div', { class: 'entry-said' });
  private readonly player: Player;
  private scale = false;
  private way: TranslationView | null = null;
  private current: string | null = null;
  private figure: Figure | null = null;
  /** Parts of the entries, by their index. */
  private entries = new Map<number, SVGGElement>();
  /** Index of the part that is told of. */
  private chosen: number | null = null;

  constructor() {
    style();
    this.player = new Player((number) => this.played(number));
    this.controls = el('div', { class: 'figure-controls' }, this.scaleButton(), this.player.element);
    this.element = el('div', { class: 'walk' }, this.scroller, this.said);
    this.element.addEventListener('keydown', (event) => this.key(event));
    this.scroller.addEventListener('focusin', (event) => this.choose(partOf(event)));
    this.scroller.addEventListener('pointerover', (event) => this.tell(partOf(event) ?? this.chosen));
    this.scroller.addEventListener('pointerleave', () => this.tell(this.chosen));
    this.scroller.addEventListener('click', (event) => this.entries.get(partOf(event) ?? -1)?.focus());
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  /** @param current address of the entry that the step is about; it is marked */
  show(way: TranslationView, current: string | null): void {
    // The same once more, as when the statement's part of the detail comes: the chosen entry stays.
    if (this.figure && current === this.current && JSON.stringify(way) === JSON.stringify(this.way)) return;
    this.way = way;
    this.current = current;
    this.figure = null;
    this.draw();
  }

  /** The keyboard is in the figure. */
  get hasFocus(): boolean {
    return this.scroller.contains(document.activeElement);
  }

  focus(): void {
    this.entries.get(this.chosen ?? this.anyEntry() ?? -1)?.focus();
  }

  /** One reference further or back. */
  step(by: 1 | -1): void {
    this.player.step(by);
  }

  /** The addresses in their spaces, or in a line. */
  private scaleButton(): HTMLElement {
    const title = 'Show where the addresses lie in their spaces, to scale';
    const button = el('button', { class: 'step', text: 'to scale', title, attributes: { 'aria-pressed': 'false' } });
    button.addEventListener('click', () => {
      this.scale = !this.scale;
      button.setAttribute('aria-pressed', String(this.scale));
      const { chosen } = this;
      this.figure = null;
      this.draw();
      if (chosen !== null) this.choose(chosen);
    });
    return button;
  }

  private draw(): void {
    const room = this.scroller.clientWidth;
    if (!this.way || room === 0) return;
    const larger = Math.min(Math.max(1, room / WIDE), LARGEST);
    const figure = figureOf(this.way, { width: Math.floor(room / larger), current: this.current, scale: this.scale });
    const again = this.figure !== null;
    if (again && this.figure!.width === figure.width) return this.size(room);
    this.figure = figure;
    const { hasFocus } = this;
    const parsed = new DOMParser().parseFromString(svgMarkup(figure), 'image/svg+xml').documentElement;
    const svg = document.importNode(parsed, true);
    this.entries = new Map([...svg.querySelectorAll<SVGGElement>('[data-part]')].map((each) => [Number(each.dataset.part), each]));
    for (const each of this.entries.values()) each.setAttribute('tabindex', '-1');
    this.scroller.replaceChildren(svg);
    this.size(room);
    if (!again) {
      this.player.reset(figure.parts.flatMap(({ of }) => of?.entry.reference ?? []));
      this.choose(this.first());
    } else this.choose(this.chosen);
    this.played(this.player.at);
    if (hasFocus) this.focus();
  }

  private size(room: number): void {
    const { width, height } = this.figure!;
    const scale = Math.max(SMALLEST, room / width);
    const svg = this.scroller.firstElementChild!;
    svg.setAttribute('width', String(Math.floor(width * scale)));
    svg.setAttribute('height', String(Math.ceil(height * scale)));
  }

  /** What decides is told of first, or else what the step is about. */
  private first(): number | null {
    const { parts } = this.figure!;
    const found = (holds: (of: EntryPart) => boolean): number | null => {
      const index = parts.findIndex(({ of }) => of !== null && holds(of));
      return index < 0 ? null : index;
    };
    return found(({ entry }) => entry.decides !== null) ?? found(({ entry }) => entry.at !== null && entry.at === this.current);
  }

  private choose(part: number | null): void {
    this.chosen = part;
    for (const [index, each] of this.entries) each.setAttribute('tabindex', index === (part ?? this.anyEntry()) ? '0' : '-1');
    this.tell(part);
  }

  private anyEntry(): number | undefined {
    return this.entries.keys().next().value;
  }

  private tell(part: number | null): void {
    const of = part === null ? null : (this.figure?.parts[part]?.of ?? null);
    this.said.replaceChildren(of ? drawEntry(of) : el('p', { class: 'note', text: this.entries.size > 0 ? HELP : '' }));
  }

  /** @param number of the last reference that is shown as made; null: all are */
  private played(number: number | null): void {
    for (const [index, each] of this.entries) {
      const { reference } = this.figure!.parts[index].of!.entry;
      each.classList.toggle('later', number !== null && reference !== null && reference > number);
      each.classList.toggle('now', number !== null && reference === number);
      if (number !== null && reference === number) this.choose(index);
    }
    this.scroller.querySelector('.verdict')?.classList.toggle('later', number !== null && number < this.player.last);
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === ' ') this.player.toggle();
    else if (/^(Arrow|Home|End)/.test(event.key) && this.figure) {
      const next = neighbour(this.figure.parts, this.chosen ?? this.anyEntry() ?? null, event.key);
      if (next !== null) this.entries.get(next)?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const HELP = 'Arrow keys go from entry to entry; , and . from reference to reference, space plays them';

/** Index of the entry's part that an event is of. */
function partOf({ target }: Event): number | null {
  const part = (target as Element).closest<SVGElement>('[data-part]')?.dataset.part;
  return part === undefined ? null : Number(part);
}

/** The page's policy lets no style in but its files' and what scripts make (CSSOM). */
function style(): void {
  if (styled) return;
  styled = true;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(figureStyle());
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
