/** All of one entry, beneath the figure: where it lies, its value and what it was, its bits by name, where it leads. */
import type { EntryPart } from '../../../server/src/figure/shapes';
import type { EntryBit } from '../../../server/src/protocol/translation';
import { el, spoken } from '../dom';
import type { Child } from '../dom';

export function drawEntry({ walk, entry }: EntryPart): HTMLElement {
  const { label, index, at, space, value, was, to, note, reference, state, bits } = entry;
  const facts = [
    at === null ? 'a register' : `at ${space} ${at}`,
    reference === null ? SAID[state] : `reference ${reference}`,
    to !== null && `→ ${to}`,
    note,
  ];
  return el(
    'div',
    { class: 'entry-line' },
    el('b', { class: 'mono', text: `${walk.table} ${label}[${index}]` }),
    el(
      'span',
      { class: 'value mono' },
      was && el('del', { text: was, title: 'before' }),
      was && ' ',
      el(was ? 'ins' : 'span', { text: value ?? 'no memory' }),
    ),
    chips(bits),
    el('span', { class: 'note', text: facts.filter(Boolean).join(' · ') }),
  );
}

const SAID = {
  read: 'read by the processor',
  cached: 'cached: not read',
  unreached: 'not reached',
  software: 'read by software alone',
  idle: 'not used while L2 runs',
};

function chips(bits: readonly EntryBit[]): Child {
  if (bits.length === 0) return null;
  const all = bits.map(({ name, set, about, denies }) =>
    el(
      'li',
      { class: `bit ${set ? 'set' : 'clear'}${denies ? ' denies' : ''}`, title: about },
      name,
      spoken(denies ? (set ? ' set, denies' : ' clear, denies') : set ? ' set' : ' clear'),
    ),
  );
  return el('ul', { class: 'bits' }, ...all);
}
