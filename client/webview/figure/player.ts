/** Plays references one after another, and back: by buttons, or as its owner says. */
import { el } from '../dom';

/** Milliseconds a reference. */
const PACE = 700;

export class Player {
  readonly element: HTMLElement;
  private readonly count = el('output', { class: 'note' });
  private readonly play: HTMLButtonElement;
  private numbers: readonly number[] = [];
  /** How many are made; all: the figure as it is. */
  private made = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** @param changed told the number of the last reference made (0: of none); null: all are */
  constructor(private readonly changed: (number: number | null) => void) {
    const button = (text: string, title: string, click: () => void): HTMLButtonElement =>
      el('button', { class: 'step', text, title, attributes: { 'aria-label': title }, on: { click } });
    this.play = button('▶', 'Play the references', () => this.toggle());
    this.element = el(
      'div',
      { class: 'player', role: 'toolbar', attributes: { 'aria-label': 'References' } },
      button('«', 'Before the first reference', () => this.moveTo(0)),
      button('‹', 'Reference before (,)', () => this.step(-1)),
      this.play,
      button('›', 'Next reference (.)', () => this.step(1)),
      button('»', 'All references', () => this.moveTo(this.numbers.length)),
      this.count,
    );
  }

  /** Number of the last reference made; null: all are. */
  get at(): number | null {
    return this.made === this.numbers.length ? null : (this.numbers[this.made - 1] ?? 0);
  }

  get last(): number {
    return this.numbers.at(-1) ?? 0;
  }

  /** @param numbers of the references that there are */
  reset(numbers: readonly number[]): void {
    this.stop();
    this.numbers = [...numbers].sort((a, b) => a - b);
    this.made = this.numbers.length;
    this.element.hidden = this.numbers.length === 0;
    this.say();
  }

  step(by: 1 | -1): void {
    this.stop();
    this.moveTo(this.made + by);
  }

  toggle(): void {
    if (this.timer !== undefined || this.numbers.length === 0) return this.stop();
    if (this.made === this.numbers.length) this.moveTo(0);
    this.timer = setInterval(() => {
      this.moveTo(this.made + 1);
      if (this.made === this.numbers.length || !this.element.isConnected) this.stop();
    }, PACE);
    this.say();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.say();
  }

  private moveTo(made: number): void {
    this.made = Math.max(0, Math.min(made, this.numbers.length));
    this.say();
    this.changed(this.at);
  }

  private say(): void {
    this.count.textContent = `${this.made} / ${this.numbers.length}`;
    this.play.textContent = this.timer === undefined ? '▶' : '■';
  }
}
