/** The statement that a step is of: what it came to, at what cost, and what was expected of it. */
import type { StatementView } from '../../../server/src/protocol/messages';
import { el } from '../dom';
import type { Child } from '../dom';
import { drawVerdict } from './verdict';

/** @param place where it stands, when it is the step itself */
export function drawStatement({ text, verdict, exits, references, expectations }: StatementView, place: Child): HTMLElement {
  const cost = [exits, references > 0 && `${references} ${references === 1 ? 'entry' : 'entries'} read`].filter(Boolean).join(' · ');
  return el(
    'section',
    { class: 'came-to', attributes: { 'aria-label': 'Statement' } },
    el('span', { class: 'source', text }),
    verdict && drawVerdict(verdict),
    el('span', { class: 'cost', text: cost }),
    place,
    expectations.length > 0 &&
      el(
        'ul',
        { class: 'expectations' },
        ...expectations.map(({ text: expected, holds, got }) =>
          el(
            'li',
            { class: holds ? 'held' : 'failed' },
            el('span', { class: 'mark', text: holds ? '✓' : '✗', attributes: { 'aria-label': holds ? 'holds' : 'fails' } }),
            el('span', { class: 'expected', text: expected }),
            !holds && el('span', { class: 'got', text: got }),
          ),
        ),
      ),
  );
}
