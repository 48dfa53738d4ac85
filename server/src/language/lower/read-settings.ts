/** Settings of one block: what is written, or else their default, checked for type and range. */
import { readNumber } from '../syntax/numbers';
import type { Bounds, SettingSpecs } from '../machine/setting';
import type { Node, Setting } from '../syntax/tree';
import { show, showSize } from '../semantics/values';
import type { Env } from '../semantics/values';
import type { Context } from './context';

const WAYS: Bounds = { least: 1n, most: 64n };

export class Settings {
  private readonly written = new Map<string, Setting>();

  constructor(
    private readonly context: Context,
    private readonly specs: SettingSpecs,
    items: readonly Node[],
    private readonly env: Env,
  ) {
    for (const item of items) {
      if (item.kind !== 'setting') continue;
      const name = nameOf(item);
      const first = this.written.get(name);
      if (first) {
        const related = [{ file: env.file, node: first, message: `${name} is set here first` }];
        context.report(env, item, 'set-twice', `${name} is set twice`, { related });
      } else if (name in this.specs) this.written.set(name, item);
    }
  }

  /** The setting as it is written; null: it is not. */
  node(name: string): Setting | null {
    return this.written.get(name) ?? null;
  }

  has(name: string): boolean {
    return this.written.has(name);
  }

  /** The settings inside a setting (`cpu { … }`). */
  inside(name: string): readonly Node[] {
    return this.written.get(name)?.body?.items ?? [];
  }

  /** Number, size or address; null when it is neither written nor has a default, or is not right, which is reported. */
  big(name: string): bigint | null {
    const setting = this.written.get(name);
    if (!setting) return this.defaultNumber(name);
    if (!setting.value) return null;
    const value = this.context.evaluator.number(setting.value, this.env);
    return value === null ? null : this.bounded(value, name, this.specs[name].bounds, setting.value);
  }

  /** As {@link big}, for what is always below 2^53; the default when it is not right. */
  number(name: string): number {
    return Number(this.big(name) ?? this.defaultNumber(name) ?? 0n);
  }

  switch(name: string): boolean {
    const setting = this.written.get(name);
    if (!setting?.value) return this.specs[name].default === 'on';
    return this.context.switch(setting.value, this.env, name) ?? false;
  }

  choice(name: string): string {
    const value = this.written.get(name)?.value;
    return value?.kind === 'word' && value.text in (this.specs[name].choices ?? {}) ? value.text : (this.specs[name].default ?? '');
  }

  /** `16 x 4`: sets and ways. */
  geometry(name: string): { readonly sets: number; readonly ways: number } {
    const [sets, ways] = (this.specs[name].default ?? '1 x 1').split(' x ').map(Number);
    const setting = this.written.get(name);
    if (!setting?.value || !setting.second) return { sets, ways };
    const wanted = this.context.evaluator.number(setting.second, this.env);
    const secondWays = wanted === null ? null : this.bounded(wanted, `the number of ways of ${name}`, WAYS, setting.second);
    return { sets: this.number(name) || sets, ways: Number(secondWays ?? ways) };
  }

  private defaultNumber(name: string): bigint | null {
    const text = this.specs[name].default;
    const read = text === undefined ? null : readNumber(text.split(' ')[0]);
    return read && 'value' in read ? read.value : null;
  }

  private bounded(value: bigint, name: string, bounds: Bounds | undefined, node: Node): bigint | null {
    const wrong = bounds ? whyWrong(value, bounds) : value < 0n ? 'is not negative' : null;
    if (wrong === null) return value;
    this.context.report(this.env, node, 'out-of-range', `${name} ${wrong}`);
    return null;
  }
}

/** Name of a setting with its bit: `cr0.wp`. */
function nameOf(setting: Setting): string {
  return setting.bit ? `${setting.name.text}.${setting.bit.text}` : setting.name.text;
}

function whyWrong(value: bigint, { least, most, unit, powerOfTwo, one }: Bounds): string | null {
  if (one) return one.includes(value) ? null : `is ${one.map(showSize).join(', ')}, not ${showSize(value)}`;
  if (value < least || value > most) {
    const [from, to, is] = unit
      ? [showSize(least), showSize(most), showSize(value)]
      : [least, most, value < 1n << 20n ? value : show(value)];
    return `is ${from} to ${to}, not ${is}`;
  }
  if (unit && value % unit !== 0n) return `is a multiple of ${showSize(unit)}, not ${show(value)}`;
  if (powerOfTwo && (value & (value - 1n)) !== 0n) return `is a power of two, not ${value}`;
  return null;
}
