/**
 * A text of the kernel's trace as data: literal parts and holes, as a printk format. One table both prints and reads (what is
 * printed can be read back). A hole says which fields it shows; a text that shows a field which its event has not got does not compile.
 */

type Value = bigint | number | string;

/** Values by name: those of the event's fields, its level, and what the text says besides. */
export interface Values {
  readonly [name: string]: Value | undefined;
}

/** What a text depends on besides values. */
export interface Dialect {
  readonly vendor: 'intel' | 'amd';
  /** The hypervisor's entries are those of EPT. */
  readonly ept: boolean;
}

export interface Hole<N extends string> {
  /** Fields that it shows. */
  readonly shows: readonly N[];
  /** What it shows that no field has, and where it is from; null: it shows fields. */
  readonly beside: { readonly name: Extra; readonly from: string } | null;
  /** How the documentation writes it. */
  readonly placeholder: string;
  readonly print: (values: Values, dialect: Dialect) => string;
  /** Regular expression of all that it can print, without capturing groups. */
  readonly pattern: string;
  /** Values of what it printed; bits of one value that several holes show are put together. */
  readonly read: (said: string, dialect: Dialect) => Values;
}

/** What texts say that our events do not. */
export type Extra =
  | 'rip'
  | 'vcpu'
  | 'as_id'
  | 'errno'
  | 'int_ctl'
  | 'requests'
  | 'code_mode'
  | 'csbase'
  | 'immediate_exit'
  | 'reinjected'
  | 'write'
  | 'exception';

export interface Text<N extends string> {
  readonly literals: readonly string[];
  readonly holes: readonly Hole<N>[];
}

export function text<N extends string = never>(literals: TemplateStringsArray, ...holes: readonly Hole<N>[]): Text<N> {
  return { literals: [...literals], holes };
}

/** One text after another. */
export function followed<N extends string, M extends string>(first: Text<N>, then: Text<M>): Text<N | M> {
  const last = first.literals.length - 1;
  return {
    literals: [...first.literals.slice(0, last), first.literals[last] + then.literals[0], ...then.literals.slice(1)],
    holes: [...first.holes, ...then.holes],
  };
}

export function print({ literals, holes }: Text<string>, values: Values, dialect: Dialect): string {
  return literals.reduce((said, literal, i) => said + holes[i - 1].print(values, dialect) + literal);
}

/** The values in a text; null when it is none of this form. */
export function read({ literals, holes }: Text<string>, said: string, dialect: Dialect): Values | null {
  const pattern = literals.reduce((all, literal, i) => `${all}${i > 0 ? `(${holes[i - 1].pattern})` : ''}${escaped(literal)}`, '');
  const found = new RegExp(`^${pattern}$`).exec(said);
  if (!found) return null;
  const values: { [name: string]: Value } = {};
  holes.forEach((hole, i) => {
    for (const [name, value] of Object.entries(hole.read(found[i + 1], dialect))) {
      const before = values[name];
      values[name] = typeof before === 'number' && typeof value === 'number' ? before | value : value!;
    }
  });
  return values;
}

/** The form for people: `vcpu {vcpu}, rip 0x{rip}`. */
export function form({ literals, holes }: Text<string>): string {
  return literals.reduce((said, literal, i) => `${said}{${holes[i - 1].placeholder}}${literal}`);
}

/** Literal text as a regular expression. */
export function escaped(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
