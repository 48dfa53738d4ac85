/** `page 0x4000 write_protected`, `page 0x4000 not unsync` */
import type { Expectation as Judged } from '../../engine/program';
import { bindParts, noOutcome } from '../kind';
import type { Brings, ExpectationKind } from '../kind';
import { HIGHEST_PHYSICAL } from '../lower/context';
import type { Frame, ScriptLowering } from '../lower/script';
import { value } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression, Word } from '../syntax/tree';

export interface ExpectPage extends Base {
  readonly kind: 'expect-page';
  readonly gpa: Expression;
  readonly not: boolean;
  readonly state: Word | null;
}

const GPA = value('a guest-physical address', 'gpa');

const STATE = { ERR_MSG: 'a state, as write_protected', UNKNOWN: 'unknown-word' } as const;

/** `page 0x4000 not unsync` */
const rule: Rule<[], ExpectPage> = ($) => {
  const no = (): boolean => $.isThere($.CONSUME($.t.word('not')));
  return () => {
    const start = $.CONSUME($.t.word('page')).startOffset;
    const gpa = $.SUBRULE($.expression, GPA);
    const not = $.OPTION(no) ?? false;
    const state = $.wordOrNull($.CONSUME($.t.PageState, STATE), 'state');
    return { kind: 'expect-page', gpa, not, state, range: $.since(start) };
  };
};

export const page: ExpectationKind<ExpectPage> & Brings<'state'> = {
  rule,
  words: {
    expectation: {
      page: 'State of a guest page to KVM: `page 0x4000 write_protected`, `page 0x4000 not unsync`.',
    },
    state: {
      write_protected: 'No spte lets the guest write this page.',
      tracked: 'Write-tracked: it holds a shadowed table, and writes to it are emulated.',
      unsync: 'It holds a level-1 table whose shadow page is out of sync.',
      synced: 'It holds a level-1 table whose shadow page is in sync.',
      shadowed: 'It holds a table that has a shadow page.',
    },
  },
  bind: bindParts,
  address: (node, part) => (node.gpa === part ? 'gpa' : null),
  outcome: noOutcome,
  ofLastAct: false,
  lower,
};

function lower({ context }: ScriptLowering, node: ExpectPage, { env, vm }: Frame): readonly Judged[] {
  const gpa = context.between(node.gpa, env, 'a guest-physical address', 0n, HIGHEST_PHYSICAL);
  if (gpa === null || !node.state) return [];
  const state = node.state.text.replace('_', '-') as Extract<Judged, { kind: 'page-state' }>['state'];
  return [{ kind: 'page-state', vm: vm.index, gpa: Number(gpa - (gpa % 4096n)), state, not: node.not }];
}
