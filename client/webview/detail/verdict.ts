/** What an access comes to: its colour is that of the outcome. */
import type { Verdict } from '../../../server/src/protocol/translation';
import { el } from '../dom';

const KINDS: { readonly [kind in Verdict['kind']]: string } = {
  ok: 'The access reaches memory',
  fault: 'The guest gets a fault',
  exit: 'An exit',
  mmio: 'MMIO: the VMM has to do it',
  error: 'KVM_RUN fails',
};

export function drawVerdict({ kind, what, why, section }: Verdict): HTMLElement {
  return el(
    'span',
    { class: `verdict ${kind}`, title: KINDS[kind] },
    el('b', { text: what }),
    why && el('span', { class: 'why', text: `: ${why}` }),
    section && explained(section),
  );
}

/** The page hears of the click where it bubbles to (app.ts). */
function explained(section: string): HTMLElement {
  return el('button', {
    class: 'link explained',
    text: '?',
    title: 'What that means',
    attributes: { 'data-section': section, 'aria-label': `What that means: ${section}` },
  });
}
