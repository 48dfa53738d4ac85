/** What every part of the lowering has at hand: names, values, and where problems go. */
import type { Expression, Range } from '../syntax/tree';
import type { ProblemCode } from '../semantics/codes';
import type { Links } from '../semantics/links';
import type { More, Reporter } from '../semantics/reporter';
import type { SourceFile } from '../semantics/source';
import { LIMIT, show } from '../semantics/values';
import type { Env, Evaluator } from '../semantics/values';
import { Budget } from './budget';

/** The last byte of the widest physical address space, 52 bits. */
export const HIGHEST_PHYSICAL = (1n << 52n) - 1n;

export class Context {
  readonly budget: Budget;

  /** @param stop why there is no more time for lowering; null: there is */
  constructor(
    readonly links: Links,
    readonly reporter: Reporter,
    readonly evaluator: Evaluator,
    stop: () => string | null,
  ) {
    this.budget = new Budget(stop);
  }

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
