/** Values of expressions: integers from -2^63 to 2^64 - 1, exact; what leaves them is a problem. */
import { hex } from '../../engine/bits';
import type { Bound } from '../../engine/program';
import type { BinaryOperator, Expression, NameExpression, RangeExpression } from '../syntax/tree';
import type { Links } from './links';
import type { Reporter } from './reporter';
import { FAULT_ADDRESS } from './scopes';
import type { Named } from './scopes';
import type { SourceFile } from './source';

/** A number, tables (as a number: the address of their root), or null: unknown, and nothing is said about it again. */
export type Value = bigint | Named | null;

/** What an expression's value depends on besides constants. */
export interface Env {
  /** The file that the expression stands in. */
  readonly file: SourceFile;
  /** Loop variables and parameters. */
  readonly locals: ReadonlyMap<Named, Value>;
  /** The same as plain data, with the calls around, for those who show what came of it. */
  readonly bound: Bound | null;
  /** The VM that performs: whose tables a name in a block means. */
  readonly vm: Named | null;
  /** `cr2` in a handler; null: unknown, undefined: there is none. */
  readonly faultAddress?: bigint | null;
}

const MIN = -(1n << 63n);
export const LIMIT = 1n << 64n;
/** Constants defined by one another at most. */
const DEEPEST = 100;

const NO_LOCALS: ReadonlyMap<Named, Value> = new Map();

export function fileEnv(file: SourceFile): Env {
  return { file, locals: NO_LOCALS, bound: null, vm: null };
}

/** The environment in which a name has a value. */
export function withLocal(env: Env, named: Named, value: Value): Env {
  return { ...env, locals: new Map(env.locals).set(named, value), bound: boundTo(named, value, env.bound) };
}

export function boundTo({ definition }: Named, value: Value, outer: Bound | null): Bound {
  return { definition: definition.range.start, value: typeof value === 'object' ? (value?.name ?? null) : value, outer };
}

/** Values of constants in scripts and blocks, which hold where locals, VM and fault are these. */
interface LocalValues {
  readonly env: Env;
  readonly silent: boolean;
  readonly values: Map<Named, Value>;
}

export class Evaluator {
  private readonly constants = new Map<Named, Value>();
  private locals: LocalValues | null = null;
  private readonly pending = new Set<Named>();

  /** @param rootOf address of the root of tables; null when it has none */
  constructor(
    private readonly links: Links,
    private readonly reporter: Reporter,
    private readonly rootOf: (tables: Named) => bigint | null,
  ) {}

  /** A number; null when it has none, which has been reported or depends on something unknown. */
  number(expression: Expression, env: Env): bigint | null {
    const value = this.value(expression, env);
    return typeof value === 'object' && value !== null ? this.rootOf(value) : value;
  }

  /** As {@link number}, as 64 bits: negative numbers are two's complement. */
  bits(expression: Expression, env: Env): bigint | null {
    const value = this.number(expression, env);
    return value === null ? null : BigInt.asUintN(64, value);
  }

  value(expression: Expression, env: Env): Value {
    switch (expression.kind) {
      case 'number':
        return expression.value;
      case 'switch':
        return expression.value ? 1n : 0n;
      case 'name':
        return this.named(expression, env);
      case 'parenthesized':
        return this.value(expression.inner, env);
      case 'unary': {
        const operand = this.number(expression.operand, env);
        if (operand === null) return null;
        return this.held(expression.operator === '-' ? -operand : BigInt.asUintN(64, ~operand), expression, env);
      }
      case 'binary': {
        const left = this.number(expression.left, env);
        const right = this.number(expression.right, env);
        if (left === null || right === null) return null;
        return this.binary(expression.operator, left, right, expression, env);
      }
      case 'word':
      case 'missing':
        return null;
    }
  }

  /** First and last (included) number of a range; null when they are unknown or the range is empty, which is reported. */
  range(range: RangeExpression, env: Env): { readonly from: bigint; readonly last: bigint } | null {
    const from = this.number(range.from, env);
    if (!range.to && !range.size) return from === null ? null : { from, last: from };
    const end = this.number((range.to ?? range.size)!, env);
    if (from === null || end === null) return null;
    const last = range.to ? end : from + end - 1n;
    if (last < from) {
      const message = range.to
        ? `the range ends at ${show(end)}, before it begins at ${show(from)}`
        : `a range needs a length; this one is ${show(end)}`;
      this.reporter.report(env.file, range.to ?? range.size ?? range, 'empty-range', message);
      return null;
    }
    return this.held(last, range, env) === null ? null : { from, last };
  }

  private named(expression: NameExpression, env: Env): Value {
    const named = this.links.byReference.get(expression.name);
    if (!named) {
      if (expression.name.text === FAULT_ADDRESS && env.faultAddress !== undefined) return env.faultAddress;
      return null;
    }
    switch (named.of) {
      case 'const':
        return this.constant(named, env);
      case 'loop':
      case 'parameter':
        return env.locals.get(named) ?? null;
      case 'tables':
        return expression.vm ? named : this.performers(named, env);
      case 'block':
      case 'vm':
      case 'vcpu':
        return null;
    }
  }

  /** Tables named in a block are those of the VM that performs, when it has some of that name. */
  performers(tables: Named, env: Env): Named {
    if (!env.vm || env.vm.node.kind !== 'vm') return tables;
    return this.links.scopeOfVm(env.vm.node).own('value', tables.name) ?? tables;
  }

  /** @param env of the place that names the constant */
  constant(named: Named, env: Env): Value {
    if (named.node.kind !== 'const') return null;
    const { local } = named.scope;
    const values = local ? this.localValues(env) : this.constants;
    const known = values.get(named);
    if (known !== undefined) return known;
    if (this.pending.has(named) || this.pending.size >= DEEPEST) {
      const message = this.pending.has(named)
        ? `${named.name} is defined by itself`
        : `constants are defined by one another more than ${DEEPEST} deep`;
      this.reporter.report(named.file, named.definition, 'constant-cycle', message);
      return null;
    }
    this.pending.add(named);
    const value = this.value(named.node.value, local ? { ...env, file: named.file } : { ...fileEnv(named.file), vm: named.scope.vm });
    this.pending.delete(named);
    if (local || !this.reporter.silent) values.set(named, value);
    return value;
  }

  private localValues(env: Env): Map<Named, Value> {
    const { silent } = this.reporter;
    const { locals, vm, faultAddress } = env;
    const before = this.locals;
    const same =
      before?.silent === silent && before.env.locals === locals && before.env.vm === vm && before.env.faultAddress === faultAddress;
    if (before && same) return before.values;
    return (this.locals = { env, silent, values: new Map() }).values;
  }

  private binary(operator: BinaryOperator, left: bigint, right: bigint, expression: Expression & { kind: 'binary' }, env: Env): Value {
    switch (operator) {
      case '+':
        return this.held(left + right, expression, env);
      case '-':
        return this.held(left - right, expression, env);
      case '*':
        return this.held(left * right, expression, env);
      case '/':
      case '%':
        if (right === 0n) {
          this.reporter.report(env.file, expression.right, 'division-by-zero', 'division by zero');
          return null;
        }
        return operator === '/' ? left / right : left % right;
      case '<<':
      case '>>':
        if (right < 0n || right > 63n) {
          this.reporter.report(env.file, expression.right, 'bad-shift', `a shift is by 0 to 63 bits, not by ${right}`);
          return null;
        }
        return operator === '<<' ? this.held(left << right, expression, env) : BigInt.asUintN(64, left) >> right;
      case '&':
        return BigInt.asUintN(64, left) & BigInt.asUintN(64, right);
      case '|':
        return BigInt.asUintN(64, left) | BigInt.asUintN(64, right);
    }
  }

  private held(value: bigint, node: Expression | RangeExpression, env: Env): bigint | null {
    if (value >= MIN && value < LIMIT) return value;
    this.reporter.report(env.file, node, 'overflow', `the value ${show(value)} does not fit in 64 bits`);
    return null;
  }
}

/** Looks at all constants of files and machines, those too that nothing uses. */
export function checkConstants(links: Links, evaluator: Evaluator): void {
  for (const named of links.names) {
    if (named.of === 'const' && !named.scope.local) evaluator.constant(named, { ...fileEnv(named.file), vm: named.scope.vm });
  }
}

/** A number as it would be written: small ones decimal, others hexadecimal in groups of four. */
export function show(value: bigint | number): string {
  const big = BigInt(value);
  if (big < 0n) return `-${show(-big)}`;
  if (big < 16n) return big.toString();
  if (big >= 1n << 128n) return '2^128 or more';
  return hex(big);
}

const UNITS: readonly [bigint, string][] = [[1n << 40n, 'T'], [1n << 30n, 'G'], [1n << 20n, 'M'], [1n << 10n, 'K']]; // prettier-ignore

/** A size as it would be written: `2M`. */
export function showSize(size: bigint | number): string {
  const big = BigInt(size);
  for (const [unit, letter] of UNITS) if (big >= unit && big % unit === 0n) return `${big / unit}${letter}`;
  return big < 4096n ? big.toString() : show(big);
}
