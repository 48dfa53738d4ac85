/** Entries of tables by name, in scripts. */
import type { Edit, EntryReference } from '../syntax/tree';
import { nearest } from '../syntax/problem';
import { show } from '../semantics/values';
import type { Env } from '../semantics/values';
import { fieldOf, wholeEntry } from './tables/flags';
import type { FormatName, Shape } from './tables/format';
import { whyNotTranslated } from './tables/format';
import type { RunVm } from './run-state';
import type { Frame, ScriptLowering } from './script';

/** Tables that a name means in a script. */
export function tablesOf(
  script: ScriptLowering,
  entry: EntryReference,
  frame: Frame,
): { readonly vm: RunVm; readonly shape: Shape; readonly root: number | null } | null {
  const { context } = script;
  const named = context.links.byReference.get(entry.table);
  if (!named) return null;
  let tables = named;
  if (named.of === 'parameter') {
    const value = frame.env.locals.get(named) ?? null;
    if (typeof value === 'bigint') context.report(frame.env, entry.table, 'not-tables', `${named.name} is ${show(value)} here, not tables`);
    if (typeof value !== 'object' || value === null) return null;
    tables = value;
  } else if (!entry.vm && named.of === 'tables') tables = context.evaluator.performers(named, frame.env);
  const found = script.run.tablesOf(tables);
  if (!found) {
    if (tables.of === 'tables')
      context.report(frame.env, entry.table, 'not-in-run', `${tables.name} are tables of a VM that is not part of this run`);
    return null;
  }
  return { vm: found.vm, shape: found.tables.shape, root: found.tables.root };
}

/** Address and level (0: the leaf) of an entry; null when something is wrong. */
export function entryPlace(
  script: ScriptLowering,
  entry: EntryReference,
  shape: Shape | null,
  env: Env,
): { readonly address: bigint; readonly level: number } | null {
  const { context } = script;
  const address = context.unsigned(entry.address, env, 'an address');
  const level = entry.level
    ? context.between(entry.level, env, `a level${shape ? ` of ${shape.name} tables` : ''}`, 1n, BigInt(shape?.levels ?? 5))
    : 0n;
  if (address === null || level === null) return null;
  const why = shape && whyNotTranslated(shape, address);
  if (why) {
    context.report(env, entry.address, 'non-canonical', `${show(address)} cannot be translated: ${why}`);
    return null;
  }
  return { address, level: Number(level) };
}

/** Bits of a named bit of an entry with a value; null when it has no such bit or the value does not fit. */
export function bitValue(
  script: ScriptLowering,
  node: { readonly bit: Edit['bit']; readonly value: Edit['value'] | null },
  format: FormatName,
  spte: boolean,
  env: Env,
): { readonly mask: bigint; readonly value: bigint } | null {
  const { context } = script;
  const { bit, value: expression } = node;
  if (!expression) return null;
  if (!bit) {
    const value = context.evaluator.bits(expression, env);
    if (value === null) return null;
    const mask = wholeEntry(format);
    if (value <= mask) return { mask, value };
    context.report(env, expression, 'entry-too-wide', `${show(value)} does not fit: entries of ${format} tables have 4 bytes`);
    return null;
  }
  const field = fieldOf(format, bit.text, spte);
  if (!field) {
    const words = [
      'present',
      'readable',
      'writable',
      'user',
      'executable',
      'nx',
      'accessed',
      'dirty',
      'large',
      'global',
      'key',
      'memtype',
      'frame',
    ];
    const known = words.filter((word) => fieldOf(format, word, spte));
    const near = nearest(bit.text, known);
    const fixes = near ? [{ file: env.file, node: bit, title: `Change to ${near}`, text: near }] : [];
    context.report(env, bit, 'unknown-bit', `entries of ${format} tables have no bit ${bit.text}; they have ${known.join(', ')}`, {
      fixes,
    });
    return null;
  }
  if (bit.text === 'frame') {
    const frame = context.unsigned(expression, env, 'the address of a page or table');
    if (frame === null) return null;
    if ((frame & ~field.mask) === 0n) return { mask: field.mask, value: frame };
    context.report(env, expression, 'not-aligned', `${show(frame)} is not the address of a page below 2^52`);
    return null;
  }
  const most = field.mask >> field.shift;
  const value = context.between(expression, env, bit.text, 0n, most);
  if (value === null) return null;
  return { mask: field.mask, value: (field.inverted ? most - value : value) << field.shift };
}
