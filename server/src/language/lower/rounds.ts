/** Loops: the rounds of all loops of a machine, or of a script, under one limit. */
import type { For, Node } from '../syntax/tree';
import { show, withLocal } from '../semantics/values';
import type { Env, Value } from '../semantics/values';
import type { Context } from './context';

/** Rounds of all loops of a machine, or of a script, at most. */
const MOST_ROUNDS = 1_000_000;

/** The rounds of a loop, each as the environment of its body; counts down what is left of the limit. */
export class Rounds {
  private left = MOST_ROUNDS;
  private ended = false;

  /** @param does an item of a body does something: a loop over others only is looked at once, and costs nothing */
  constructor(
    private readonly context: Context,
    private readonly does: (item: Node) => boolean,
  ) {}

  /** Too many rounds are reported before the first of them, and end all loops around: a round is left of each, for its problems. */
  *of(loop: For, env: Env): Generator<Env> {
    const { context } = this;
    const { evaluator, budget } = context;
    const named = loop.name && context.links.byDefinition.get(loop.name);
    const range = loop.over && evaluator.range(loop.over, env);
    const round = (value: Value): Env => (named ? withLocal(env, named, value) : env);
    const step = loop.step ? evaluator.number(loop.step, env) : 1n;
    if (loop.step && step !== null && step <= 0n) {
      context.report(env, loop.step, 'bad-step', `a step is 1 or more, not ${show(step)}`);
      return;
    }
    // Nothing is known of the variable: the body is looked at once for what can be said all the same.
    if (!range || step === null) return yield round(null);
    const count = (range.last - range.from) / step + 1n;
    const once = this.ended || !this.doesSomething(loop);
    if (!once && count > BigInt(this.left)) {
      this.ended = true;
      const message = `${count} rounds are too many: all loops together have at most ${MOST_ROUNDS}`;
      context.report(env, loop.over ?? loop, 'too-many-rounds', message);
    }
    if (once || this.ended) return yield round(range.from);
    this.left -= Number(count);
    for (let value = range.from; value <= range.last; value += step) {
      if (!budget.step(env, loop)) return;
      yield round(value);
      if (this.ended) return;
    }
  }

  private doesSomething(loop: For): boolean {
    return (loop.body?.items ?? []).some((item) => this.does(item));
  }
}

/** Whether an item of a machine does something, where some kinds of items do: loops as far as those in them do. */
export function itemDoes(does: (item: Node) => boolean): (item: Node) => boolean {
  const known = new Map<Node, boolean>();
  const any = (item: Node): boolean => {
    if (item.kind !== 'for') return does(item);
    let found = known.get(item);
    if (found === undefined) known.set(item, (found = (item.body?.items ?? []).some(any)));
    return found;
  };
  return any;
}
