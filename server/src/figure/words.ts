/** What the parts of a figure are called, for its titles, its tips and for who does not see it. */
import type { TableEntry, TableOwner, TableWalk, TranslationView } from '../protocol/translation';

export const WHOSE: { readonly [owner in TableOwner]: string } = { guest: "the guest's", L0: "L0's", L1: "L1's", L2: "L2's" };

/** `in hardware`, `walked by L0 alone`, `not used while L2 runs`. */
export function usedBy({ by }: TableWalk): string {
  if (by === null) return 'not used while L2 runs';
  return by === 'processor' ? 'in hardware' : `walked by ${by} alone`;
}

/** `PT2, L2's, in hardware` */
export function titleOf(walk: TableWalk): string {
  return `${walk.table}, ${WHOSE[walk.owner]}, ${usedBy(walk)}`;
}

const STATES: { readonly [state in TableEntry['state']]: string } = {
  read: 'read by the processor',
  cached: 'cached: not read',
  unreached: 'not reached',
  software: 'read by software alone',
  idle: 'not used while L2 runs',
};

/** All that there is to say of an entry, in a sentence. */
export function entryName({ table }: TableWalk, entry: TableEntry): string {
  const { label, index, at, space, value, was, bits, to, note, reference, state, decides } = entry;
  const set = bits.filter((bit) => bit.set && !bit.denies).map(({ name }) => name);
  const denying = bits.filter(({ denies }) => denies).map(({ name, set: isSet }) => `${name} ${isSet ? 'set' : 'clear'}`);
  return [
    `${reference === null ? '' : `${reference}. `}${table} ${label}[${index}]${at === null ? '' : ` at ${space} ${at}`}`,
    value !== null && `${value}${was === null ? '' : ` (was ${was})`}${set.length > 0 ? `: ${set.join(' ')}` : ''}`,
    to !== null && `leads to ${to}`,
    note,
    STATES[state],
    decides !== null && (denying.length > 0 ? `decides: ${denying.join(', ')}` : 'decides'),
  ]
    .filter(Boolean)
    .join('; ');
}

/** `user write 0x40_0123: #PF(P W U): PT[0].R/W = 0, user write` */
export function figureName({ access, space, address, outcome }: TranslationView): string {
  return `${access ?? space} ${address}: ${outcome}`;
}
