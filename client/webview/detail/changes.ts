/** What a step changed: from and to, one above the other, the digits that differ set off. */
import type { Change } from '../../../server/src/protocol/messages';
import { el } from '../dom';
import { differing } from './numbers';

export function drawChanges(changes: readonly Change[]): HTMLElement {
  const heads = ['State', 'What', 'From', 'To'];
  const head = el('tr', {}, ...heads.map((text) => el('th', { text, attributes: { scope: 'col' } })));
  const rows = changes.map(({ space, what, from, to, note }) =>
    el(
      'tr',
      { attributes: { 'data-vscode-context': menu(`${what}: ${from} → ${to}${note ? ` (${note})` : ''}`) } },
      el('td', { class: 'space', text: space }),
      el('td', { class: 'what' }, what, note ? el('span', { class: 'note', text: note }) : null),
      value('from', from, to),
      value('to', to, from),
    ),
  );
  return el('table', { class: 'changes' }, el('thead', {}, head), el('tbody', {}, ...rows));
}

/** What VS Code's context menu is told of an entry. */
function menu(text: string): string {
  return JSON.stringify({ webviewSection: 'entry', preventDefaultContextMenuItems: true, text });
}

function value(className: string, text: string, other: string): HTMLElement {
  const parts = differing(text, other).map((part) => el(part.differs ? 'mark' : 'span', { text: part.text }));
  return el('td', { class: className }, ...parts);
}
