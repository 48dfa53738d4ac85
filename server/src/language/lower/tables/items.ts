/** Items of tables with their values: what is written in `tables … { … }`, loops unrolled. Kinds of items read themselves. */
import { lowersToNothing } from '../../kind';
import { tablesItemKind } from '../../machine/tables/kinds';
import type { ErrorNode, Flag, Mapping, Node, Placement, RawEntry, Share, Tables, TablesItem, Upper } from '../../syntax/tree';
import type { Named } from '../../semantics/scopes';
import { show, showSize } from '../../semantics/values';
import type { Env } from '../../semantics/values';
import type { Context } from '../context';
import type { Rounds } from '../rounds';
import { fieldOf, flagMeaning, plainEntry, withFlags } from './flags';
import type { FlagMeaning } from './flags';
import { whyNotTranslated } from './format';
import type { Shape } from './format';

interface Item<N extends Node> {
  readonly node: N;
  readonly env: Env;
}

export interface MappingItem extends Item<Mapping> {
  readonly from: bigint;
  readonly size: bigint;
  readonly to: bigint;
  /** Level of the entries that map; 1: 4K pages. */
  readonly level: number;
  /** The entry that maps, its address left out. */
  readonly entry: bigint;
}
export interface RawItem extends Item<RawEntry> {
  readonly address: bigint;
  readonly level: number;
  readonly value: bigint;
}
export interface UpperItem extends Item<Upper> {
  readonly from: bigint;
  readonly last: bigint;
  readonly level: number;
  readonly entry: bigint;
}
interface PlacementItem extends Item<Placement> {
  readonly address: bigint;
  readonly level: number;
  readonly at: bigint;
}
export interface ShareItem extends Item<Share> {
  readonly tables: Named;
  readonly from: bigint;
  readonly last: bigint;
  readonly level: number;
}

export interface TablesItems {
  readonly mappings: readonly MappingItem[];
  readonly raws: readonly RawItem[];
  readonly uppers: readonly UpperItem[];
  readonly placements: readonly PlacementItem[];
  readonly shares: readonly ShareItem[];
}

/** Items that say something of their tables; constants say it where they are named. */
export function readsSomething(item: Node): boolean {
  return item.kind !== 'error' && tablesItemKind(item as Exclude<TablesItem, ErrorNode>).read !== lowersToNothing;
}

/** Reads the items of one `tables`; what is wrong is reported and left out. */
export class ItemReader {
  readonly mappings: MappingItem[] = [];
  readonly raws: RawItem[] = [];
  readonly uppers: UpperItem[] = [];
  readonly placements: PlacementItem[] = [];
  readonly shares: ShareItem[] = [];

  constructor(
    readonly context: Context,
    readonly shape: Shape,
    readonly rounds: Rounds,
    /** Widest physical address that entries can hold. */
    readonly maxPhyAddr: number,
  ) {}

  read(tables: Tables, env: Env): TablesItems {
    this.all(tables.body?.items ?? [], env);
    return this;
  }

  all(items: readonly TablesItem[], env: Env): void {
    for (const item of items) if (item.kind !== 'error') tablesItemKind(item).read(this, item, env);
  }

  /* ------------------------------------------------------------ what kinds of items ask */

  unaligned(node: Node, env: Env, value: bigint, page: bigint): void {
    const down = value - (value % page);
    const fixes = [{ file: env.file, node, title: `Change to ${show(down)}`, text: show(down) }];
    const message = `${show(value)} is not a multiple of the page size ${showSize(page)}`;
    this.context.report(env, node, 'not-aligned', message, { fixes: value > 0n && down > 0n ? fixes : [] });
  }

  address(node: RawEntry['address'], env: Env): bigint | null {
    const address = this.context.unsigned(node, env, 'an address');
    if (address === null) return null;
    const why = whyNotTranslated(this.shape, address);
    if (why === null) return address;
    this.context.report(env, node, 'non-canonical', `${show(address)} cannot be translated: ${why}`);
    return null;
  }

  translates(range: { readonly from: bigint; readonly last: bigint }, node: Node, env: Env): boolean {
    const { context, shape } = this;
    if (range.from < 0n) {
      context.report(env, node, 'out-of-range', `an address is not negative: ${show(range.from)}`);
      return false;
    }
    const why = whyNotTranslated(shape, range.from) ?? whyNotTranslated(shape, range.last);
    if (why !== null) {
      const address = whyNotTranslated(shape, range.from) ? range.from : range.last;
      context.report(env, node, 'non-canonical', `${show(address)} cannot be translated: ${why}`);
      return false;
    }
    if (shape.canonical && range.last - range.from >= 1n << BigInt(shape.inputBits - 1)) {
      context.report(env, node, 'non-canonical', 'the range goes over addresses that are not canonical');
      return false;
    }
    return true;
  }

  level(node: RawEntry['level'], env: Env, least: number, most = this.shape.levels): number | null {
    if (!node) return null;
    const level = this.context.between(node, env, `a level of ${this.shape.name} tables here`, BigInt(least), BigInt(most));
    return level === null ? null : Number(level);
  }

  /** The entry that flags describe, without an address; null when they are wrong. */
  entry(flags: readonly Flag[], level: number, leaf: boolean, env: Env): bigint | null {
    const { context, shape } = this;
    const meanings: FlagMeaning[] = [];
    const told = new Map<string, Flag>();
    let numbers = 0n;
    let right = true;
    for (const flag of flags) {
      const word = flag.name.text;
      if (word === 'pages') continue;
      if (word === 'key' || word === 'memtype') {
        const value = this.numberFlag(flag, leaf, env);
        if (value === null) right = false;
        else numbers |= value;
        continue;
      }
      const meaning = flagMeaning(shape.name, word, flag.not);
      if (!meaning || (meaning.leaf && !leaf) || (shape.name === 'pae' && level === 3 && !['pwt', 'pcd', 'absent'].includes(word))) {
        const where = meaning ? `entries of level ${level} that lead to another table` : `entries of ${shape.name} tables`;
        context.report(env, flag, 'flag-not-here', `${where} have no flag ${word}`);
        right = false;
        continue;
      }
      const other = told.get(meaning.tells);
      if (other && !meaning.rights) {
        const related = [{ file: env.file, node: other, message: 'the other flag' }];
        context.report(env, flag, 'flags-clash', `${word} and ${other.name.text} say the same thing twice, or contradict each other`, {
          related,
        });
        right = false;
      }
      told.set(meaning.tells, flag);
      meanings.push(meaning);
    }
    if (!right) return null;
    let plain = plainEntry(shape.name, level, leaf);
    for (const flag of flags) {
      if (flag.name.text === 'memtype' || flag.name.text === 'key') plain &= ~(fieldOf(shape.name, flag.name.text, false)?.mask ?? 0n);
    }
    return withFlags(shape.name, plain | numbers, meanings);
  }

  private numberFlag(flag: Flag, leaf: boolean, env: Env): bigint | null {
    const { context, shape } = this;
    const word = flag.name.text;
    const field = fieldOf(shape.name, word, false);
    if (!field || !leaf) {
      context.report(
        env,
        flag,
        'flag-not-here',
        `${leaf ? `entries of ${shape.name} tables` : 'entries that lead to another table'} have no ${word}`,
      );
      return null;
    }
    if (!flag.value) return null;
    const value = context.between(flag.value, env, word === 'key' ? 'a protection key' : 'a memory type', 0n, field.mask >> field.shift);
    return value === null ? null : value << field.shift;
  }
}
