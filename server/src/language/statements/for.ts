/** `for i in 0 .. 15 step 2 { … }`, in a script, a VM or tables. */
import type { Act } from '../../engine/program';
import { declaresNothing, noAddress } from '../kind';
import type { StatementKind, TablesItemKind, VmItemKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Binder } from '../semantics/binder';
import type { Scope } from '../semantics/scopes';
import type { Base, Body, Definition, Expression, RangeExpression, Statement, TablesItem, VmItem } from '../syntax/tree';
import { groupEntry } from './head';

export interface For extends Base {
  readonly kind: 'for';
  readonly name: Definition | null;
  readonly over: RangeExpression | null;
  readonly step: Expression | null;
  /** Items of that in which it stands. */
  readonly body: Body<Statement> | Body<VmItem> | Body<TablesItem> | null;
}

export const loop: StatementKind<For> & VmItemKind<For> & TablesItemKind<For> = {
  words: {
    statement: { for: 'A loop: `for i in 0 .. 15 { … }`; the end of the range is included.' },
    clause: { in: 'The range of a loop.' },
  },
  numbered: 'never',
  line: 'statement',
  ends: null,
  does: ({ body }, activity) => activity.anyOf((body as Body<Statement> | null)?.items),
  bind,
  address: noAddress,
  outline: groupEntry,
  lower,
  // The planner of a VM asks the items in its rounds.
  declare: declaresNothing,
  once: () => null,
  plan: {},
  read: (items, node, env) => {
    for (const round of items.rounds.of(node, env)) items.all((node.body as Body<TablesItem> | null)?.items ?? [], round);
  },
};

function bind(node: For, scope: Scope, binder: Binder): void {
  const { definitions } = binder;
  binder.bind(node.over, scope);
  binder.bind(node.step, scope);
  if (!node.body) return;
  const inner = definitions.scope(scope.file, node.body, [scope], scope.vm, true);
  definitions.define(inner, node.name, node);
  definitions.defineConstants(inner, node.body.items);
  binder.all(node.body.items, inner);
}

function lower(script: ScriptLowering, node: For, frame: Frame, out: Act[]): void {
  const items = (node.body as Body<Statement> | null)?.items ?? [];
  for (const env of script.rounds.of(node, frame.env)) {
    if (script.full) return;
    script.all(items, { ...frame, env }, out);
  }
}
