/** `kernel[0x40_0000].writable = no`, `kernel[0x40_0000 level 2] = 0`: the guest kernel stores to its tables. */
import type { Act } from '../../engine/program';
import { always, bindParts, noAddress, NO_WORDS } from '../kind';
import type { StatementKind } from '../kind';
import { bitValue, entryPlace, tablesOf } from '../lower/entry-edits';
import type { Frame, ScriptLowering } from '../lower/script';
import { BUILT_IN_TABLES } from '../semantics/scopes';
import { VALUE } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, EntryReference, Expect, Expression, Word } from '../syntax/tree';
import { actEntry } from './head';

export interface Edit extends Base {
  readonly kind: 'edit';
  readonly entry: EntryReference;
  readonly bit: Word | null;
  readonly value: Expression;
  readonly expects: readonly Expect[];
}

/** `kernel[0x40_0000].writable = no` */
const rule: Rule<[], Edit> = ($) => {
  const part = (): Word | null => $.SUBRULE($.entryBit);
  return () => {
    const start = $.here();
    const entry = $.SUBRULE($.entry);
    const bit = $.OPTION(part) ?? null;
    $.CONSUME($.t.Assign);
    const of = $.SUBRULE($.expression, VALUE);
    const after = $.expects();
    return { kind: 'edit', entry, bit, value: of, expects: after, range: $.since(start) };
  };
};

export const edit: StatementKind<Edit> = {
  rule,
  begins: ($) => $.isEntry(),
  words: NO_WORDS,
  numbered: 'always',
  line: 'statement',
  ends: { called: 'an edit of a table', outcomes: ['ok', '#PF', 'mmio', 'shutdown', 'exit', 'error'] },
  does: always,
  bind: bindParts,
  address: noAddress,
  outline: actEntry,
  lower,
};

function lower(script: ScriptLowering, node: Edit, frame: Frame, out: Act[]): void {
  const { context } = script;
  const { env } = frame;
  if (BUILT_IN_TABLES.includes(node.entry.table.text) && !context.links.byReference.has(node.entry.table)) {
    const what = node.entry.table.text === 'tlb' ? "the TLB is the processor's" : `${node.entry.table.text} is the hypervisor's own`;
    context.report(env, node.entry, 'not-editable', `${what}: it cannot be edited, only expected`);
    return;
  }
  const tables = tablesOf(script, node.entry, frame);
  const place = entryPlace(script, node.entry, tables?.shape ?? null, env);
  const bits = tables && bitValue(script, node, tables.shape.name, false, env);
  if (!tables || tables.root === null || !place || !bits) return;
  const by = tables.vm === frame.vm ? script.performer(frame) : { vm: tables.vm.index, vcpu: 0 };
  const act: Act = {
    do: 'edit',
    origin: script.statements.of(node),
    by,
    table: { format: tables.shape.name, root: tables.root },
    ...place,
    clear: bits.mask,
    set: bits.value,
  };
  script.emit(act, out, node, env);
}
