/**
 * `memory 64M`, `readonly` (no value), `cr0.wp off` (with a bit), `l1 16 x 4` (with a second value), `kvm { … }` (a body): a
 * setting of a host, cpu, tlb, kvm, budget, vm, cpuid, slot or vcpu, whose files list which there are.
 */
import { bindParts, NO_WORDS, notInOutline, declaresNothing } from '../kind';
import type { AddressSpace, VmItemKind } from '../kind';
import type { Base, Body, ErrorNode, Expression, Word } from '../syntax/tree';

export interface Setting extends Base {
  readonly kind: 'setting';
  readonly name: Word;
  readonly bit: Word | null;
  readonly value: Expression | null;
  readonly second: Expression | null;
  readonly body: Body<Setting | ErrorNode> | null;
}

export type SettingBlock = 'host' | 'cpu' | 'tlb' | 'kvm' | 'budget' | 'vm' | 'cpuid' | 'slot' | 'vcpu';

/**
 * What stands after a setting's name: nothing, a switch (`on`, `off`), a number, a size or an address (expressions), one of
 * its choices, two numbers (`16 x 4`), or a block of settings; `switch-or-block` takes either.
 */
export type Takes = 'nothing' | 'switch' | 'number' | 'size' | 'address' | 'choice' | 'geometry' | 'block' | 'switch-or-block';

/** What a number may be. */
export interface Bounds {
  readonly least: bigint;
  readonly most: bigint;
  /** The value is a multiple of it. */
  readonly unit?: bigint;
  readonly powerOfTwo?: boolean;
  /** The only values. */
  readonly one?: readonly bigint[];
}

export interface SettingSpec {
  readonly takes: Takes;
  /** Of numbers, sizes and addresses; those without are bounded by what they stand for, where it is known. */
  readonly bounds?: Bounds;
  readonly about: string;
  /** As it would be written; absent when the setting must be given or is computed. */
  readonly default?: string;
  /** In words: what it is when it is not given, where that depends on other things. */
  readonly computed?: string;
  /** Choices with their explanations. */
  readonly choices?: { readonly [choice: string]: string };
  /** Block of settings that it opens. */
  readonly block?: SettingBlock;
}

export type SettingSpecs = { readonly [name: string]: SettingSpec };

const K = 1n << 10n;
const M = 1n << 20n;
const G = 1n << 30n;
export const PAGE_SIZES: Bounds = { least: 4n * K, most: G, one: [4n * K, 2n * M, G] };

/** A setting of a VM; others are settings of the same form. */
export const setting: VmItemKind<Setting> = {
  rule: ($) => () => $.SUBRULE($.vmSetting),
  words: NO_WORDS,
  numbered: 'never',
  line: 'plain',
  bind: bindParts,
  address: ({ name }) => ADDRESSES[name.text] ?? null,
  outline: notInOutline,
  declare: declaresNothing,
  once: ({ name }) => name.text,
  // lower/read-settings.ts reads them.
  plan: {},
};

const ADDRESSES: { readonly [name: string]: AddressSpace } = { gpa: 'gpa', hva: 'hva', cr3: 'gpa', root: 'gpa', vmcs: 'gpa' };
