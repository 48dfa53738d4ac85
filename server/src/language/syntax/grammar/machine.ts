/** Items of VMs and of tables, each by its kind. */
import { VM_ITEM_KINDS } from '../../machine/kinds';
import { TABLES_ITEM_KINDS } from '../../machine/tables/kinds';
import { mapping } from '../../machine/tables/mapping';
import * as t from '../tokens';
import type { Body, ErrorNode, Expression, Handler, Setting, TablesItem, VmItem } from '../tree';
import { alternatives } from './alternatives';
import { OUTER } from './lists';
import { value, type Rule } from './rule';

const among = (...more: string[]): ReadonlySet<number> => t.kindsOf([...OUTER, ...more]);

const AFTER_VM = among('host', 'expect', 'read', 'write', 'user', 'supervisor');

const AFTER_TABLES = among('host', 'vm', 'slot', 'vcpu', 'tables', 'expect', 'read', 'write');

const AFTER_VCPU = among('vm', 'slot', 'vcpu', 'tables', 'const', 'for', 'expect', 'read', 'write');

const LEVEL = t.word('level');

export const vmBody: Rule<[string], Body<VmItem> | null> = ($) => (what) => $.BRACES('vm', what, $.vmItem, AFTER_VM);

export const vcpuBody: Rule<[string], Body<Setting | Handler | ErrorNode> | null> = ($) => (what) =>
  $.BRACES('vcpu', what, $.vcpuItem, AFTER_VCPU);

export const vmItem: Rule<[], VmItem | null> = ($) => {
  const choice = {
    DEF: alternatives<VmItem>($, VM_ITEM_KINDS),
    ELSE: (): VmItem | null => {
      if ($.is(t.Word)) return $.SUBRULE($.vmSetting);
      $.expected('slot, vcpu, tables, word, vm, or a setting as mmu');
      return null;
    },
  };
  return () => $.OR(choice);
};

export const tablesBody: Rule<[string], Body<TablesItem> | null> = ($) => (what) => $.BRACES('tables', what, $.tablesItem, AFTER_TABLES);

export const tablesItem: Rule<[], TablesItem | null> = ($) => {
  const choice = {
    DEF: alternatives<TablesItem>($, TABLES_ITEM_KINDS),
    ELSE: (): TablesItem | null => $.SUBRULE($.readerOf(mapping.rule)),
  };
  return () => $.OR(choice);
};

const OF_LEVEL = value('a level, 1 to 5', 'level');

/** `level 2`; null where it is missing. */
export const level: Rule<[], Expression | null> = ($) => () => {
  const there = $.isThere($.CONSUME(LEVEL));
  return there ? $.SUBRULE($.expression, OF_LEVEL) : null;
};
