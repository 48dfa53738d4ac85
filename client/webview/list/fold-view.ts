/** The line of a statement: what it came to, at what cost, and how its expectations stand; its steps are folded beneath. */
import type { StepFold, StepRow } from '../../../server/src/protocol/messages';
import { el } from '../dom';

export function drawFold(row: StepRow, { open, steps, outcome, exits, changed, held, failed }: StepFold): HTMLElement {
  const text = row.kind === 'statement' ? row.text : open ? `set-up: ${row.event} ${row.text}` : 'set-up';
  const line = row.line === null ? '' : `line ${row.line + 1}`;
  const twisty = el('span', {
    class: `twisty${open ? ' open' : ''}`,
    title: open ? 'Fold' : `Unfold ${steps} steps`,
    attributes: { 'aria-hidden': 'true' },
  });
  return el(
    'div',
    { class: 'cell statement folds', role: 'gridcell', attributes: { 'aria-colspan': 2 } },
    twisty,
    el('span', { class: 'source', text, title: text }),
    part(`outcome ${outcome?.kind ?? ''}`, outcome?.what ?? '', outcome?.what ?? ''),
    part('exits', exits, `Exits: ${exits}`),
    part('changed', changed > 0 ? `Δ ${changed}` : '', `${changed} changes of entries of tables`),
    el(
      'span',
      { class: 'marks' },
      held > 0 && part('held', `✓${held > 1 ? held : ''}`, `${held} expectations hold`),
      failed > 0 && part('failed', `✗${failed > 1 ? failed : ''}`, `${failed} expectations fail`),
    ),
    el('span', { class: 'line', text: line }),
  );
}

/** One column; it keeps its room when there is nothing to say. */
function part(name: string, text: string, title: string): HTMLElement {
  return el('span', { class: name, text, title: text && title });
}
