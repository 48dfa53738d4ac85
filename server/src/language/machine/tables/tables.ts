/** `tables kernel at 0x1000 { … }`, `tables ept12 ept { … }`: paging structures; lower/tables/ builds them from their items. */
import type { Brings, VmItemKind } from '../../kind';
import type { Binder } from '../../semantics/binder';
import type { Scope } from '../../semantics/scopes';
import type { Base, Body, Definition, RangeExpression, TablesItem, Word } from '../../syntax/tree';

export interface Tables extends Base {
  readonly kind: 'tables';
  readonly name: Definition | null;
  /** Null: the paging mode of the vCPUs. */
  readonly format: Word | null;
  /** The root's address, or with a length the area in which all its tables lie; null: allocated. */
  readonly at: RangeExpression | null;
  readonly body: Body<TablesItem> | null;
}

export const tables: VmItemKind<Tables> & Brings<'format'> = {
  words: {
    declaration: {
      tables: "Paging structures in the VM's memory: mapped ranges and raw entries. The name stands for the address of the root.",
    },
    format: {
      '32-bit': 'Two levels of 4-byte entries.',
      pae: 'Three levels of 8-byte entries, the root has four.',
      '4-level': 'Four levels of 8-byte entries.',
      '5-level': 'Five levels of 8-byte entries.',
      ept: 'Extended page tables, kept by an L1 for its guest (SDM vol. 3C, "The Extended Page Table Mechanism").',
      npt: 'Nested page tables, kept by an L1 for its guest (APM vol. 2, §15.25).',
    },
  },
  numbered: 'never',
  line: 'plain',
  bind,
  address: (node, part) => (node.at === part ? 'gpa' : null),
  outline: ({ name, format }) => ({
    name: name?.text ?? 'tables',
    detail: format ? `tables ${format.text}` : 'tables',
    symbol: 'struct',
    at: name,
  }),
  declare: (node, scope, definitions) => definitions.define(scope, node.name, node),
  once: () => 'tables',
  plan: { declare: (vm, node) => vm.addTables(node) },
};

function bind(node: Tables, scope: Scope, binder: Binder): void {
  const { definitions } = binder;
  binder.bind(node.at, scope);
  if (!node.body) return;
  const inner = definitions.scope(scope.file, node.body, [scope], scope.vm);
  definitions.defineConstants(inner, node.body.items);
  binder.all(node.body.items, inner);
}
