/** A slider over the steps of a run: dragged, or moved by its own keys. */
import type { RunInfo } from '../../server/src/protocol/messages';
import { el } from './dom';

export class RunSlider {
  readonly element = el('div', { class: 'run-slider' });
  private readonly input = el('input', { attributes: { type: 'range', min: 0, step: 1, 'aria-label': 'Step of the run' } });
  private readonly at = el('output', { class: 'note' });

  /** @param moved told the step at which the user has put it */
  constructor(moved: (step: number) => void) {
    this.input.addEventListener('input', () => {
      this.say();
      moved(Number(this.input.value));
    });
    this.element.append(this.input, this.at);
    this.show(null, null);
  }

  show(run: RunInfo | null, step: number | null): void {
    this.element.hidden = run === null || run.steps < 2;
    this.input.max = String(Math.max(0, (run?.steps ?? 0) - 1));
    this.input.value = String(step ?? 0);
    this.say();
  }

  private say(): void {
    const { value, max } = this.input;
    this.at.textContent = `${value} / ${max}`;
    this.input.setAttribute('aria-valuetext', `step ${value} of ${max}`);
    this.input.style.setProperty('--done', `${(100 * Number(value)) / Math.max(1, Number(max))}%`);
  }
}
