/** What every part of the lowering has at hand: names, values, and where problems go. */
import type { Expression, For, Range } from '../syntax/tree';
import type { ProblemCode } from '../semantics/codes';
import type { Links } from '../semantics/links';
import type { More, Reporter } from '../semantics/reporter';
import type { SourceFile } from '../semantics/source';
import { LIMIT, show } from '../semantics/values';
import type { Env, Evaluator, Value } from '../semantics/values';

/** Rounds of all loops of a machine, or of a script, at most. */
export const MOST_ROUNDS = 1_000_000;

export class Context {
  constructor(
    readonly links: Links,
    readonly reporter: Reporter,
    readonly evaluator: Evaluator,
  ) {}

  report(at: { readonly file: SourceFile }, node: { readonly range: Range }, code: ProblemCode, message: string, more?: More): void {
    this.reporter.report(at.file, node, code, message, more);
  }

  /** A warning: what is written can be run, and is hardly meant. */
  warn(at: { readonly file: SourceFile }, node: { readonly range: Range }, code: ProblemCode, message: string, more?: More): void {
    this.reporter.report(at.file, node, code, message, { severity: 'warning', ...more });
  }

  /** A number from `least` to `most`; null when it has no value or another one, which is reported. */
  between(expression: Expression, env: Env, what: string, least: bigint, most: bigint): bigint | null {
    const value = this.evaluator.number(expression, env);
    if (value === null || (value >= least && value <= most)) return value;
    this.report(env, expression, 'out-of-range', `${what} is ${show(least)} to ${show(most)}, not ${show(value)}`);
    return null;
  }

  /** An address or other unsigned 64-bit number. */
  unsigned(expression: Expression, env: Env, what: string): bigint | null {
    return this.between(expression, env, what, 0n, LIMIT - 1n);
  }

  /** On or off. */
  switch(expression: Expression, env: Env, what: string): boolean | null {
    const value = this.evaluator.number(expression, env);
    if (value === null) return null;
    if (value === 0n || value === 1n) return value === 1n;
    this.report(env, expression, 'not-a-switch', `${what} is on or off, not ${show(value)}`);
    return null;
  }
}

/** The rounds of a loop, each as the environment of its body; counts down what is left of the limit. */
export class Rounds {
  private left: number;

  constructor(
    private readonly context: Context,
    private readonly limit = MOST_ROUNDS,
  ) {
    this.left = limit;
  }

  /** Too many rounds are reported before the first of them. */
  *of(loop: For, env: Env): Generator<Env> {
    const { context } = this;
    const { evaluator } = context;
    const named = loop.name && context.links.byDefinition.get(loop.name);
    const range = loop.over && evaluator.range(loop.over, env);
    const step = loop.step ? evaluator.number(loop.step, env) : 1n;
    if (loop.step && step !== null && step <= 0n) {
      context.report(env, loop.step, 'bad-step', `a step is 1 or more, not ${show(step)}`);
      return;
    }
    if (!range || step === null) {
      // Nothing is known of the variable; the body is looked at once for what can be said all the same.
      yield withLocal(env, named ?? null, null);
      return;
    }
    const count = (range.last - range.from) / step + 1n;
    if (count > BigInt(this.left)) {
      const message = `${count} rounds are too many: all loops together have at most ${this.limit}`;
      context.report(env, loop.over ?? loop, 'too-many-rounds', message);
      yield withLocal(env, named ?? null, range.from);
      return;
    }
    this.left -= Number(count);
    for (let value = range.from; value <= range.last; value += step) yield withLocal(env, named ?? null, value);
  }
}

export function withLocal(env: Env, named: Parameters<typeof env.locals.get>[0] | null, value: Value): Env {
  return named ? { ...env, locals: new Map(env.locals).set(named, value) } : env;
}
