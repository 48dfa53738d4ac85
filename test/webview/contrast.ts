/** Whether what the page shows can be read. Runs in the page. */

/** Texts whose contrast with what lies behind them is below 3 : 1. */
export function lowContrast(): string[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
  const rgba = (color: string): number[] => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a]: number[], below: number[]) => [r, g, b].map((channel, i) => channel * a + below[i] * (1 - a)).concat(1);
  const behind = (element: Element): number[] => {
    const chain: Element[] = [];
    for (let each: Element | null = element; each; each = each.parentElement) chain.unshift(each);
    return chain.reduce((below, each) => over(rgba(getComputedStyle(each).backgroundColor), below), [255, 255, 255, 1]);
  };
  /** Beneath a text of a drawing: boxes of its part that it lies in. */
  const beneath = (text: SVGElement): number[] => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const boxes = [...text.parentElement!.querySelectorAll('rect')].filter((rect) => {
      const at = rect.getBoundingClientRect();
      return at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
    });
    return boxes.reduce(
      (below, rect) => {
        const { fill, fillOpacity } = getComputedStyle(rect);
        if (fill === 'none') return below;
        const [r, g, b, a] = rgba(fill);
        return over([r, g, b, a * Number(fillOpacity)], below);
      },
      behind(text.closest('svg')!),
    );
  };
  const light = ([r, g, b]: number[]) => {
    const [x, y, z] = [r, g, b].map((channel) =>
      channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found: string[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim()).length > 0;
    if (!own || element.closest('.spoken, .placeholder, script, [hidden]') || element.getClientRects().length === 0) continue;
    const drawn = element instanceof SVGElement;
    const below = drawn ? beneath(element) : behind(element);
    const opacity = Number(getComputedStyle(element).opacity);
    const [r, g, b, a] = rgba(drawn ? getComputedStyle(element).fill : getComputedStyle(element).color);
    const above = over([r, g, b, a * opacity], below);
    const [high, low] = [light(above), light(below)].sort((p, q) => q - p);
    if ((high + 0.05) / (low + 0.05) < 3)
      found.push(`${element.getAttribute('class')}: ${element.textContent?.slice(0, 30)} ${((high + 0.05) / (low + 0.05)).toFixed(2)}`);
  }
  return [...new Set(found)];
}
