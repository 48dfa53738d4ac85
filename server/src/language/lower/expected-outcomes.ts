/** What expectations of one act say of its outcome: which outcomes an act can have, and that they agree with each other. */
import type { Expectation, Node } from '../syntax/tree';
import type { Env } from '../semantics/values';
import type { ScriptLowering } from './script';

/** What the expectations after an act of some kind can be about; other kinds say nothing of the act itself. */
const OUTCOMES: { readonly [kind: string]: readonly string[] } = {
  access: ['ok', '#PF', '#GP', 'mmio', 'exit', 'error', 'value', 'address'],
  edit: ['ok', '#PF', 'mmio', 'exit', 'error'],
  'memory-word': ['ok', 'mmio', 'exit', 'error'],
  'register-load': ['ok', '#GP', 'exit', 'error'],
  invalidate: ['ok', '#GP', 'exit', 'error'],
  enter: ['ok', 'error'],
  'host-act': ['ok', 'error'],
};
const ACT_NAMES: { readonly [kind: string]: string } = {
  edit: 'an edit of a table',
  'memory-word': 'a store',
  'register-load': 'a register load',
  invalidate: 'an invalidation',
  enter: 'a VM entry',
  'host-act': 'an act of the host',
};

/** What an expectation says of the act's outcome; null: it is about something else. */
function outcomeOf(node: Expectation): string | null {
  switch (node.kind) {
    case 'expect-ok':
      return 'ok';
    case 'expect-fault':
      return node.fault;
    case 'expect-mmio':
      return 'mmio';
    case 'expect-error':
      return 'error';
    case 'expect-exit':
      return 'exit';
    case 'expect-value':
      return 'value';
    case 'expect-address':
      return 'address';
    default:
      return null;
  }
}

const ABOUT_LAST: ReadonlySet<Node['kind']> = new Set<Node['kind']>(['expect-count', 'expect-events']);

export function checkTogether(script: ScriptLowering, all: readonly Expectation[], of: Node | null, env: Env, acted: boolean): void {
  const { context } = script;
  let first: Expectation | null = null;
  for (const node of all) {
    const outcome = outcomeOf(node);
    if (!of && !acted && (outcome !== null || ABOUT_LAST.has(node.kind))) {
      context.report(env, node, 'nothing-before', 'nothing was done before this expectation');
    }
    if (outcome === null) continue;
    const possible = of && OUTCOMES[of.kind];
    if (possible && !possible.includes(outcome)) {
      context.report(env, node, 'not-of-this-act', `${ACT_NAMES[of.kind] ?? 'this act'} does not end so`);
    }
    if (outcome === 'value' && of?.kind === 'access' && of.access === 'fetch') {
      context.report(env, node, 'not-of-this-act', 'a fetch gives no value');
    }
    if (outcome === 'value' || outcome === 'address') continue;
    if (first && outcomeOf(first) !== outcome) {
      const related = [{ file: env.file, node: first, message: 'the other' }];
      context.report(env, node, 'contradiction', 'one act cannot end in both ways', { related });
    }
    first ??= node;
  }
}
