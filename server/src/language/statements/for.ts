/** `for i in 0 .. 15 step 2 { … }`, in a script, a VM or tables. */
import type { Act } from '../../engine/program';
import { declaresNothing, noAddress } from '../kind';
import type { ItemKind, StatementKind, TablesItemKind, VmItemKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Binder } from '../semantics/binder';
import type { Scope } from '../semantics/scopes';
import { value } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
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

const LOOP_NAME = { ERR_MSG: 'a name', DEFINES: 'loop', LABEL: 'name' } as const;

const OVER = value('a range, as `0 .. 15`', 'loop');

const STEP = value('a step', 'step');

/** `for i in 0 .. 15 step 2 { … }`; where it stands decides what its body holds. */
function loopRule(where: 'script' | 'vm' | 'tables'): Rule<[], For> {
  return ($) => {
    const step = (): Expression => {
      $.CONSUME($.t.word('step'));
      return $.SUBRULE($.expression, STEP);
    };
    return () => {
      const start = $.CONSUME($.t.word('for')).startOffset;
      const name = $.definitionOrNull($.CONSUME($.t.Word, LOOP_NAME), 'loop');
      $.CONSUME($.t.word('in'));
      const over = $.SUBRULE($.span, OVER);
      const by = $.OPTION(step) ?? null;
      const body: For['body'] = $.SUBRULE<[string], For['body']>($[`${where}Body`], { ARGS: ['for'] });
      return { kind: 'for', name, over, step: by, body, range: $.since(start) };
    };
  };
}

const common: ItemKind<For> = {
  words: {
    statement: { for: 'A loop: `for i in 0 .. 15 { … }`; the end of the range is included.' },
    clause: { in: 'The range of a loop.' },
  },
  numbered: 'never',
  line: 'statement',
  bind,
  address: noAddress,
  outline: groupEntry,
};

export const scriptLoop: StatementKind<For> = {
  ...common,
  rule: loopRule('script'),
  ends: null,
  does: ({ body }, activity) => activity.anyOf((body as Body<Statement> | null)?.items),
  lower,
};

/** The planner of a VM asks the items in its rounds. */
export const vmLoop: VmItemKind<For> = { ...common, rule: loopRule('vm'), declare: declaresNothing, once: () => null, plan: {} };

export const tablesLoop: TablesItemKind<For> = {
  ...common,
  rule: loopRule('tables'),
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
