/**
 * A text of the kernel's trace as data: literal parts and holes, as a printk format. One table both prints and reads (what is
 * printed can be read back). A hole says which fields it shows; a text that shows a field which its event has not got does not compile.
 * Reading needs to know nothing of the trace: names tell the vendor, and what was read says so (`isa`).
 */

type Value = bigint | number | string;

/** Values by name: those of the event's fields, its level, and what the text says besides. */
export interface Values {
  readonly [name: string]: Value | undefined;
}

/** What a printed text depends on besides values. */
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
  /** How the documentation writes it: a name, or a text with names in braces. */
  readonly placeholder: string;
  readonly print: (values: Values, dialect: Dialect) => string;
  /** Regular expression of all that it can print, without capturing groups. */
  readonly pattern: string;
  /** Values of what it printed; bits of one value that several holes show are put together. */
  readonly read: (said: string) => Values;
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
  | 'failed_vmentry'
  | 'function'
  | 'reinjected'
  | 'write'
  | 'exception';

export interface Text<N extends string> {
  readonly literals: readonly string[];
  readonly holes: readonly Hole<N>[];
  /** Its last hole can be empty, behind a blank. */
  readonly mayEndInBlank: boolean;
}

export function text<N extends string = never>(literals: TemplateStringsArray, ...holes: readonly Hole<N>[]): Text<N> {
  return textOf([...literals], holes);
}

function textOf<N extends string>(literals: readonly string[], holes: readonly Hole<N>[]): Text<N> {
  return { literals, holes, mayEndInBlank: literals.at(-1) === '' && literals.at(-2)?.endsWith(' ') === true };
}

/** One text after another. */
export function followed<N extends string, M extends string>(first: Text<N>, then: Text<M>): Text<N | M> {
  const last = first.literals.length - 1;
  return textOf<N | M>(
    [...first.literals.slice(0, last), first.literals[last] + then.literals[0], ...then.literals.slice(1)],
    [...first.holes, ...then.holes],
  );
}

export function print({ literals, holes }: Text<string>, values: Values, dialect: Dialect): string {
  return literals.reduce((said, literal, i) => said + holes[i - 1].print(values, dialect) + literal);
}

/** The values in a text; null when it is none of this form. Blanks at its end, which mailers take away, do not count. */
export function read(text: Text<string>, said: string): Values | null {
  const pattern = patternOf(text);
  const found = pattern.exec(said) ?? (text.mayEndInBlank ? pattern.exec(`${said} `) : null);
  if (!found) return null;
  const values: { [name: string]: Value | undefined } = {};
  for (let i = 0; i < text.holes.length; i++) {
    const got = text.holes[i].read(found[i + 1]);
    for (const name in got) values[name] = together(values[name], got[name]);
  }
  return values;
}

/** Of what two holes say of one value: all of its bits. */
function together(before: Value | undefined, value: Value | undefined): Value | undefined {
  if (typeof before === 'number' && typeof value === 'number') return before | value;
  return typeof before === 'bigint' && typeof value === 'bigint' ? before | value : value;
}

const patterns = new WeakMap<Text<string>, RegExp>();

/** Made when the first text is read. */
function patternOf(text: Text<string>): RegExp {
  let pattern = patterns.get(text);
  if (!pattern) {
    const { literals, holes } = text;
    const parts = literals.map((literal, i) => `${i > 0 ? `(${holes[i - 1].pattern})` : ''}${escaped(literal)}`);
    pattern = new RegExp(`^${parts.join('')}$`);
    patterns.set(text, pattern);
  }
  return pattern;
}

/** The form for people: `vcpu {vcpu}, rip 0x{rip}`. */
export function form({ literals, holes }: Text<string>): string {
  const shown = ({ placeholder }: Hole<string>): string => (placeholder.includes('{') ? placeholder : `{${placeholder}}`);
  return literals.reduce((said, literal, i) => `${said}${shown(holes[i - 1])}${literal}`);
}

/** Literal text as a regular expression. */
export function escaped(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
