/** Elements in a line: the page is drawn by hand, without a framework. */

interface Attributes {
  readonly class?: string;
  readonly id?: string;
  readonly role?: string;
  readonly title?: string;
  readonly text?: string;
  /** Attributes by name; null and false leave one out, true sets it empty. */
  readonly attributes?: { readonly [name: string]: string | number | boolean | null | undefined };
  readonly on?: { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };
}

export type Child = Node | string | null | undefined | false;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { class: className, id, role, title, text, attributes: others = {}, on = {} } = attributes;
  if (className) element.className = className;
  if (id) element.id = id;
  if (role) element.setAttribute('role', role);
  if (title) element.title = title;
  if (text !== undefined) element.textContent = text;
  setAttributes(element, others);
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener as EventListener);
  append(element, children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: NonNullable<Attributes['attributes']>,
  ...children: readonly SVGElement[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) if (child) parent.append(child);
}

/** Text that only screen readers read. */
export function spoken(text: string): HTMLElement {
  return el('span', { class: 'spoken', text });
}

function setAttributes(element: Element, attributes: NonNullable<Attributes['attributes']>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
}
