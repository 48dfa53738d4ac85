/** `tables kernel at 0x1000 { … }`, `tables ept12 ept { … }`: paging structures; lower/tables/ builds them from their items. */
import type { Brings, VmItemKind } from '../../kind';
import type { Binder } from '../../semantics/binder';
import type { Scope } from '../../semantics/scopes';
import { value } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
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

const TABLES_NAME = { ERR_MSG: 'the name of the tables', DEFINES: 'tables', LABEL: 'name' } as const;

const ROOT = value('the address of the root', 'gpa');

/** `tables kernel at 0x1000 { … }`, `tables ept12 ept { … }` */
const rule: Rule<[], Tables> = ($) => {
  const formatted = { GATE: () => !$.broken(), DEF: (): Word => $.wordOf($.CONSUME($.t.Format), 'format') };
  const placed = (): RangeExpression => {
    $.CONSUME($.t.word('at'));
    return $.SUBRULE($.range, ROOT);
  };
  const isStrange = (): boolean => ($.is($.t.Word) || $.is($.t.Mode)) && !$.is($.t.word('at')) && !$.broken();
  return () => {
    const start = $.CONSUME($.t.word('tables')).startOffset;
    const name = $.definitionOrNull($.CONSUME($.t.Word, TABLES_NAME), 'tables');
    let format = $.OPTION1(formatted) ?? null;
    if (!format && isStrange()) format = $.wordOf($.strange($.t.Format), 'format');
    const at = $.OPTION2(placed) ?? null;
    const body = $.SUBRULE($.tablesBody, { ARGS: [name ? `tables ${name.text}` : 'tables'] });
    return { kind: 'tables', name, format, at, body, range: $.since(start) };
  };
};

export const tables: VmItemKind<Tables> & Brings<'format'> = {
  rule,
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
