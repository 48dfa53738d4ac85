/** `kernel[0x40_0000]`, `l1.ept12[0x5000 level 2]`; `shadow`, `tdp` and `tlb` are built in. */
import type { AddressSpace, Kind, TablesNamed } from '../kind';
import type { Base, Expression, Reference } from '../syntax/tree';

export interface EntryReference extends Base {
  readonly kind: 'entry';
  readonly vm: Reference | null;
  readonly table: Reference;
  readonly address: Expression;
  /** Null: the leaf. */
  readonly level: Expression | null;
}

export const entryReference: Kind<EntryReference> = {
  bind: (node, scope, binder) => {
    binder.bind(node.address, scope);
    binder.bind(node.level, scope);
    binder.qualified(node.vm, node.table, scope);
  },
  address: (node, part, tables) => (node.address === part ? inputSpace(node.table, tables) : null),
};

/** What the addresses are that tables translate. */
function inputSpace(table: Reference, tables: TablesNamed): AddressSpace | null {
  if (table.text === 'tdp') return 'gpa';
  const format = tables(table)?.format?.text;
  return format === 'ept' || format === 'npt' ? null : 'gva';
}
