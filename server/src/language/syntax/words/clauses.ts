/** Words of clauses that several kinds have. */
import type { Words } from '../../kind';

export const SHARED_CLAUSES: Words = {
  under:
    'The kinds of MMU virtualization for which something holds or is run: `under soft, ept, npt`; of a nested guest `soft on ept`. Before a brace: statements for these kinds only, `under soft { … }`.',
  with: 'The kernels with which something holds or is run, beside kinds or alone: `under ept with kernel 6.1, 6.12`, `with kernel 6.12`. Before a brace: statements with these kernels only.',
  kernel: 'After `with`: the kernels, as `6.1, 6.12` (docs/kernels.md).',
  off: 'As a value: 0.',
  yes: 'As a value: 1.',
  no: 'As a value: 0.',
  not: 'The flag or state does not hold: `not dirty`.',
  at: 'Where something lies in guest-physical memory.',
  step: 'Distance from one repetition to the next.',
  size: 'Bytes of an access or store: 1, 2, 4 or 8 (default). In a slot: its bytes.',
  level: 'Level of a table or entry; 1 is the page table, whose entries map 4K.',
  of: '`hpa of gpa a`: where the host backs that address. `exits 2 of EPT_VIOLATION`: exits of one reason.',
  to: 'The new address or size.',
};
