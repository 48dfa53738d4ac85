/** Whether a figure can be seen whole. Runs in the page. */

/** Texts of the figure that overlap one another, leave the box that they stand in, or lie outside of the drawing. */
export function misplaced(): string[] {
  const found: string[] = [];
  const texts = [...document.querySelectorAll<SVGTextElement>('.figure text')].map((text) => ({ text, at: text.getBoundingClientRect() }));
  const drawing = document.querySelector('.figure')!.getBoundingClientRect();
  const scale = drawing.width / document.querySelector<SVGSVGElement>('.figure')!.viewBox.baseVal.width;
  const within = (inner: DOMRect, outer: DOMRect): boolean => inner.left >= outer.left - 0.5 && inner.right <= outer.right + 0.5;
  for (const [i, { text, at }] of texts.entries()) {
    const ground = text.parentElement!.querySelector('.ground')?.getBoundingClientRect() ?? drawing;
    if (!within(at, ground) || at.top < drawing.top || at.bottom > drawing.bottom + 1) found.push(`${text.textContent} is cut`);
    for (const { text: other, at: there } of texts.slice(i + 1)) {
      // Boxes of texts are as high as the font; letters are not.
      const slack = 4 * scale;
      const apart =
        at.right <= there.left + 0.5 || there.right <= at.left + 0.5 || at.bottom <= there.top + slack || there.bottom <= at.top + slack;
      if (!apart) found.push(`${text.textContent} and ${other.textContent} overlap`);
    }
  }
  const scroller = document.querySelector('.walk .scroller')!;
  if (drawing.width > scroller.clientWidth + 1 && scroller.scrollWidth < Math.floor(drawing.width)) found.push('the figure is cut');
  if (scroller.scrollHeight > scroller.clientHeight) found.push('the figure scrolls in its height');
  return found;
}
