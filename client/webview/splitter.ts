/** The bar between list and detail: dragged, or moved with the arrow keys. */
import { el } from './dom';

const STEP = 0.04;
const LEAST = 0.12;
const MOST = 0.85;

export class Splitter {
  readonly element = el('div', {
    class: 'splitter',
    role: 'separator',
    attributes: { tabindex: 0, 'aria-label': 'Size of the detail', 'aria-valuemin': LEAST * 100, 'aria-valuemax': MOST * 100 },
  });

  /**
   * @param share part of the container that the detail takes, 0 to 1
   * @param changed told when the user is done
   */
  constructor(
    private readonly container: HTMLElement,
    private share: number,
    private readonly changed: (share: number) => void,
  ) {
    const { element } = this;
    element.addEventListener('pointerdown', (event) => {
      element.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    element.addEventListener('pointermove', (event) => element.hasPointerCapture(event.pointerId) && this.dragged(event));
    element.addEventListener('lostpointercapture', () => this.changed(this.share));
    element.addEventListener('keydown', (event) => {
      const move = { ArrowUp: STEP, ArrowLeft: STEP, ArrowDown: -STEP, ArrowRight: -STEP }[event.key];
      if (move === undefined) return;
      this.set(this.share + move);
      this.changed(this.share);
      event.preventDefault();
    });
    this.set(share);
  }

  private dragged({ clientX, clientY }: PointerEvent): void {
    const box = this.container.getBoundingClientRect();
    const beside = getComputedStyle(this.container).flexDirection === 'row';
    this.set(beside ? (box.right - clientX) / box.width : (box.bottom - clientY) / box.height);
  }

  private set(share: number): void {
    this.share = Math.max(LEAST, Math.min(share, MOST));
    this.container.style.setProperty('--detail', `${this.share * 100}%`);
    this.element.setAttribute('aria-valuenow', String(Math.round(this.share * 100)));
  }
}
