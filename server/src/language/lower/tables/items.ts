/** Items of tables with their values: what is written in `tables … { … }`, loops unrolled. */
import type { Flag, Mapping, Node, Placement, RawEntry, Share, Tables, Upper } from '../../syntax/tree';
import type { Named } from '../../semantics/scopes';
import { show, showSize } from '../../semantics/values';
import type { Env } from '../../semantics/values';
import type { Context } from '../context';
import type { Rounds } from '../rounds';
import { fieldOf, flagMeaning, plainEntry, wholeEntry, withFlags } from './flags';
import type { FlagMeaning } from './flags';
import { levelOfPage, spanOf, whyNotTranslated } from './format';
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
export interface PlacementItem extends Item<Placement> {
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

/** Reads the items of one `tables`; what is wrong is reported and left out. */
export class ItemReader {
  readonly mappings: MappingItem[] = [];
  readonly raws: RawItem[] = [];
  readonly uppers: UpperItem[] = [];
  readonly placements: PlacementItem[] = [];
  readonly shares: ShareItem[] = [];

  constructor(
    private readonly context: Context,
    private readonly shape: Shape,
    private readonly rounds: Rounds,
    /** Widest physical address that entries can hold. */
    private readonly maxPhyAddr: number,
  ) {}

  read(tables: Tables, env: Env): TablesItems {
    this.items(tables.body?.items ?? [], env);
    return this;
  }

  private items(items: readonly Node[], env: Env): void {
    for (const item of items) {
      switch (item.kind) {
        case 'for':
          for (const round of this.rounds.of(item, env)) this.items(item.body?.items ?? [], round);
          break;
        case 'mapping':
          this.mapping(item, env);
          break;
        case 'raw-entry':
          this.raw(item, env);
          break;
        case 'upper':
          this.upper(item, env);
          break;
        case 'placement':
          this.placement(item, env);
          break;
        case 'share':
          this.share(item, env);
          break;
      }
    }
  }

  private mapping(node: Mapping, env: Env): void {
    const { context, shape } = this;
    const range = context.evaluator.range(node.from, env);
    const to = context.unsigned(node.to, env, 'a physical address');
    const level = this.pageLevel(node.flags, env);
    const entry = level === null ? null : this.entry(node.flags, level, true, env);
    if (!range || to === null || level === null || entry === null) return;
    const page = spanOf(shape, level);
    const size = range.last - range.from + 1n;
    if (!this.translates(range, node.from, env)) return;
    if (range.from % page !== 0n) return this.unaligned(node.from.from, env, range.from, page);
    if (size % page !== 0n) return this.unaligned(node.from.size ?? node.from.to ?? node.from, env, size, page);
    if (to % page !== 0n) return this.unaligned(node.to, env, to, page);
    if (to + size - 1n >= 1n << BigInt(this.maxPhyAddr)) {
      context.report(
        env,
        node.to,
        'out-of-range',
        `the mapping ends at ${show(to + size - 1n)}, above the ${this.maxPhyAddr} bits of a physical address`,
      );
      return;
    }
    this.mappings.push({ node, env, from: range.from, size, to, level, entry });
  }

  private unaligned(node: Node, env: Env, value: bigint, page: bigint): void {
    const down = value - (value % page);
    const fixes = [{ file: env.file, node, title: `Change to ${show(down)}`, text: show(down) }];
    const message = `${show(value)} is not a multiple of the page size ${showSize(page)}`;
    this.context.report(env, node, 'not-aligned', message, { fixes: value > 0n && down > 0n ? fixes : [] });
  }

  private raw(node: RawEntry, env: Env): void {
    const { context, shape } = this;
    const address = this.address(node.address, env);
    const level = this.level(node.level, env, 1);
    const value = context.evaluator.bits(node.value, env);
    if (address === null || level === null || value === null) return;
    if (value > wholeEntry(shape.name)) {
      context.report(env, node.value, 'entry-too-wide', `${show(value)} does not fit: entries of ${shape.name} tables have 4 bytes`);
      return;
    }
    this.raws.push({ node, env, address, level, value });
  }

  private upper(node: Upper, env: Env): void {
    const range = this.context.evaluator.range(node.address, env);
    const level = this.level(node.level, env, 2);
    const entry = level === null ? null : this.entry(node.flags, level, false, env);
    if (!range || level === null || entry === null || !this.translates(range, node.address, env)) return;
    this.uppers.push({ node, env, ...range, level, entry });
  }

  private placement(node: Placement, env: Env): void {
    const address = this.address(node.address, env);
    const level = this.level(node.level, env, 1, this.shape.levels - 1);
    const at = this.context.unsigned(node.at, env, 'the address of a table');
    if (address === null || level === null || at === null) return;
    if (at % 4096n !== 0n) return this.unaligned(node.at, env, at, 4096n);
    this.placements.push({ node, env, address, level, at });
  }

  private share(node: Share, env: Env): void {
    const { context, shape } = this;
    const tables = node.tables && context.links.byReference.get(node.tables);
    const range = context.evaluator.range(node.address, env);
    const level = node.level ? this.level(node.level, env, 1) : shape.levels;
    if (!tables || tables.of !== 'tables' || !range || level === null || !this.translates(range, node.address, env)) return;
    this.shares.push({ node, env, tables, ...range, level });
  }

  /* ------------------------------------------------------------ parts */

  private address(node: RawEntry['address'], env: Env): bigint | null {
    const address = this.context.unsigned(node, env, 'an address');
    if (address === null) return null;
    const why = whyNotTranslated(this.shape, address);
    if (why === null) return address;
    this.context.report(env, node, 'non-canonical', `${show(address)} cannot be translated: ${why}`);
    return null;
  }

  private translates(range: { readonly from: bigint; readonly last: bigint }, node: Node, env: Env): boolean {
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

  private level(node: RawEntry['level'], env: Env, least: number, most = this.shape.levels): number | null {
    if (!node) return null;
    const level = this.context.between(node, env, `a level of ${this.shape.name} tables here`, BigInt(least), BigInt(most));
    return level === null ? null : Number(level);
  }

  private pageLevel(flags: readonly Flag[], env: Env): number | null {
    const pages = flags.find((flag) => flag.name.text === 'pages');
    if (!pages?.value) return 1;
    const size = this.context.evaluator.number(pages.value, env);
    if (size === null) return null;
    const level = levelOfPage(this.shape, size);
    if (level === null) {
      const sizes = [1, ...this.shape.largeLevels].map((each) => showSize(spanOf(this.shape, each)));
      this.context.report(
        env,
        pages.value,
        'no-such-page-size',
        `${this.shape.name} tables have pages of ${sizes.join(', ')}, not of ${showSize(size)}`,
      );
    }
    return level;
  }

  /** The entry that flags describe, without an address; null when they are wrong. */
  private entry(flags: readonly Flag[], level: number, leaf: boolean, env: Env): bigint | null {
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
