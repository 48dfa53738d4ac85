/** `vcpu { cr3 kernel }`, `vcpu 1 { … }`, `vcpu boot { … }`: a vCPU at the start, and whether a processor could be in that state (§2.1, §2.11). */
import type { Cpuid, Features, PagingMode, VcpuConfig } from '../../engine/program';
import { bindParts, noAddress } from '../kind';
import type { VmItemKind } from '../kind';
import type { Context } from '../lower/context';
import { Settings } from '../lower/read-settings';
import { SHAPES } from '../lower/tables/format';
import type { Named } from '../semantics/scopes';
import { show } from '../semantics/values';
import type { Env } from '../semantics/values';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, Definition, ErrorNode, Handler, Node } from '../syntax/tree';
import type { Bounds, Setting, SettingSpecs } from './setting';

export interface Vcpu extends Base {
  readonly kind: 'vcpu';
  /** A name or a number; null: the number of those before it. */
  readonly name: Definition | null;
  readonly body: Body<Setting | Handler | ErrorNode> | null;
}

const VCPU_NAME = { DEFINES: 'vcpu', LABEL: 'name or number' } as const;

export const vcpuItem: Rule<[], Setting | Handler | null> = ($) => {
  const choice = {
    DEF: [
      { ALT: (): Setting | Handler | null => $.SUBRULE($.handler) }, //
      { ALT: (): Setting | Handler | null => $.SUBRULE($.vcpuSetting) },
    ],
    ELSE: (): Setting | null => $.SUBRULE($.vcpuSetting),
  };
  return () => $.OR(choice);
};

/** `vcpu { cr3 kernel }`, `vcpu 1 { … }`, `vcpu boot { … }` */
const rule: Rule<[], Vcpu> = ($) => {
  const named = { GATE: () => !$.broken(), DEF: (): Definition | null => $.definitionOrNull($.CONSUME($.t.VcpuName, VCPU_NAME), 'vcpu') };
  return () => {
    const start = $.CONSUME($.t.word('vcpu')).startOffset;
    const name = $.OPTION(named) ?? null;
    const body = $.SUBRULE($.vcpuBody, { ARGS: [name ? `vcpu ${name.text}` : 'vcpu'] });
    return { kind: 'vcpu', name, body, range: $.since(start) };
  };
};

export const vcpu: VmItemKind<Vcpu> = {
  rule,
  words: { declaration: { vcpu: 'A virtual processor: paging mode, control registers, privilege level.' } },
  numbered: 'never',
  line: 'vcpu',
  bind: bindParts,
  address: noAddress,
  outline: ({ name }) => ({ name: name ? `vcpu ${name.text}` : 'vcpu', symbol: 'object', at: name }),
  declare: (node, scope, definitions) => definitions.define(scope, node.name, node),
  once: () => 'vcpu',
  plan: { declare: (vm, node) => vm.addVcpu(node) },
};

const WORD: Bounds = { least: 0n, most: 0xffff_ffffn };

/** Settings of a vCPU. */
export const VCPU_SETTINGS: SettingSpecs = {
  paging: {
    takes: 'choice', default: '4-level',
    about: 'Paging mode (SDM vol. 3A, §4.1.1). It sets CR0.PG, CR4.PAE, CR4.LA57 and EFER.LME together.',
    choices: {
      none: 'CR0.PG = 0: linear addresses are physical addresses.',
      '32-bit': 'Two levels of 4-byte entries; 4-MByte pages with CR4.PSE.',
      pae: 'Three levels of 8-byte entries; the four PDPTEs are registers loaded with CR3.',
      '4-level': 'Four levels of 8-byte entries, 48-bit linear addresses.',
      '5-level': 'Five levels of 8-byte entries, 57-bit linear addresses (CR4.LA57).',
    },
  },
  cr3: { takes: 'address', about: "Root of the guest's tables: the name of tables, or an address. With CR4.PCIDE bits 11:0 are the PCID." },
  cpl: { takes: 'choice', default: '0', choices: { '0': 'Supervisor.', '3': 'User.' }, about: 'Privilege level of accesses that do not say `user` or `supervisor`: 0 or 3.' },
  'cr0.wp': { takes: 'switch', default: 'on', about: 'CR0.WP: supervisor writes obey R/W = 0 (SDM vol. 3A, §4.6).' },
  'cr4.pse': { takes: 'switch', default: 'off', about: 'CR4.PSE: 4-MByte pages in 32-bit paging.' },
  'cr4.pge': { takes: 'switch', default: 'off', about: 'CR4.PGE: pages with G = 1 stay in the TLB over MOV CR3.' },
  'cr4.pcide': { takes: 'switch', default: 'off', about: 'CR4.PCIDE: process-context identifiers. It can be set only in 64-bit mode with PCID 0.' },
  'cr4.smep': { takes: 'switch', default: 'off', about: 'CR4.SMEP: no supervisor fetch from user pages.' },
  'cr4.smap': { takes: 'switch', default: 'off', about: 'CR4.SMAP: no supervisor data access to user pages, unless EFLAGS.AC = 1.' },
  'cr4.pke': { takes: 'switch', default: 'off', about: 'CR4.PKE: protection keys for user pages.' },
  'cr4.pks': { takes: 'switch', default: 'off', about: 'CR4.PKS: protection keys for supervisor pages.' },
  'efer.nxe': { takes: 'switch', default: 'on', about: 'EFER.NXE: bit 63 of an entry forbids fetches; when off, the bit is reserved.' },
  'eflags.ac': { takes: 'switch', default: 'off', about: 'EFLAGS.AC: suspends SMAP for explicit supervisor accesses.' },
  pkru: { takes: 'number', bounds: WORD, default: '0', about: 'PKRU: two bits a key, AD and WD, for user pages.' },
  pkrs: { takes: 'number', bounds: WORD, default: '0', about: 'IA32_PKRS: two bits a key, AD and WD, for supervisor pages.' },
}; // prettier-ignore

/** Settings that need a feature of the processor. */
const NEEDS: readonly [setting: string, feature: keyof Features, name: string][] = [
  ['cr4.pcide', 'pcid', 'pcid'],
  ['cr4.smep', 'smep', 'smep'],
  ['cr4.smap', 'smap', 'smap'],
  ['cr4.pke', 'pku', 'pku'],
  ['cr4.pks', 'pks', 'pks'],
];

interface VcpuSurroundings {
  /** What CPUID shows to the guest. */
  readonly cpuid: Cpuid;
  /** Guest-physical address of the root of tables, and their format; null when they have none. */
  tables(named: Named): { readonly root: number | null; readonly format: string } | null;
  /** The root that CR3 has when it is not written: of the only tables in that paging mode. */
  onlyRoot(mode: PagingMode): number | 'none' | 'several' | null;
  hasMemory(gpa: number): boolean;
}

/** Paging mode of a vCPU, without looking at anything else. */
export function pagingOf(items: readonly Node[]): PagingMode {
  const setting = items.find((item): item is Setting => item.kind === 'setting' && item.name.text === 'paging');
  const text = setting?.value?.kind === 'word' ? setting.value.text : '4-level';
  return text in SHAPES || text === 'none' ? (text as PagingMode) : '4-level';
}

/** @param at where a missing CR3 is reported */
export function planVcpu(context: Context, items: readonly Node[], at: Node, name: string, env: Env, around: VcpuSurroundings): VcpuConfig {
  const settings = new Settings(context, VCPU_SETTINGS, items, env);
  const paging = pagingOf(items);
  const { features } = around.cpuid;
  const refuse = (setting: string, message: string): void => context.report(env, settings.node(setting)!, 'register-refused', message);

  const on = (setting: string): boolean => settings.switch(setting);
  for (const [setting, feature, word] of NEEDS) {
    if (settings.has(setting) && on(setting) && !features[feature])
      refuse(setting, `#GP(0): the guest has no ${word} (cpu or cpuid { ${word} off })`);
  }
  const long = paging === '4-level' || paging === '5-level';
  if (settings.has('cr4.pcide') && on('cr4.pcide') && !long)
    refuse('cr4.pcide', '#GP(0): CR4.PCIDE needs 64-bit mode, that is 4-level or 5-level paging');
  if (paging === '5-level' && !features.la57) refuse('paging', '#GP(0): CR4.LA57 needs la57, which the guest has not');
  const nxe = settings.has('efer.nxe') ? on('efer.nxe') : features.nx;
  if (settings.has('efer.nxe') && nxe && !features.nx) refuse('efer.nxe', '#GP(0): EFER.NXE needs nx, which the guest has not');

  return {
    name,
    paging,
    cr3: readCr3(context, settings, at, paging, on('cr4.pcide'), env, around),
    cr0: { wp: on('cr0.wp') },
    cr4: {
      pse: on('cr4.pse'),
      pge: on('cr4.pge'),
      pcide: on('cr4.pcide'),
      smep: on('cr4.smep'),
      smap: on('cr4.smap'),
      pke: on('cr4.pke'),
      pks: on('cr4.pks'),
    },
    efer: { nxe },
    eflagsAc: on('eflags.ac'),
    pkru: settings.number('pkru'),
    pkrs: settings.number('pkrs'),
    cpl: settings.choice('cpl') === '3' ? 3 : 0,
  };
}

function readCr3(
  context: Context,
  settings: Settings,
  at: Node,
  paging: PagingMode,
  pcide: boolean,
  env: Env,
  around: VcpuSurroundings,
): bigint {
  const setting = settings.node('cr3');
  if (!setting) {
    if (paging === 'none') return 0n;
    const only = around.onlyRoot(paging);
    if (typeof only === 'number') return BigInt(only);
    const why = only === 'several' ? `the VM has several tables for ${paging} paging` : `the VM has no tables for ${paging} paging`;
    if (only !== null) context.report(env, at, 'setting-missing', `the vCPU needs a cr3: ${why}`);
    return 0n;
  }
  if (!setting.value) return 0n;
  const value = context.evaluator.value(setting.value, env);
  if (typeof value === 'object' && value !== null) checkFormat(context, setting.value, value, paging, env, around);
  const cr3 = settings.big('cr3');
  if (cr3 === null || paging === 'none') return cr3 === null ? 0n : BigInt.asUintN(64, cr3);
  const { maxPhyAddr } = around.cpuid;
  if (cr3 >> BigInt(maxPhyAddr) !== 0n) {
    context.report(env, setting.value, 'register-refused', `#GP(0): CR3 ${show(cr3)} has bits at or above MAXPHYADDR (${maxPhyAddr})`);
    return 0n;
  }
  const alignment = BigInt(SHAPES[paging].rootAlignment);
  const ignored = pcide ? 0n : (cr3 % alignment) & ~0x18n;
  if (ignored !== 0n)
    context.warn(
      env,
      setting.value,
      'cr3-low-bits',
      `bits ${show(ignored)} of CR3 are ignored: the root is ${show(cr3 - (cr3 % alignment))}`,
    );
  if (!around.hasMemory(Number(cr3 - (cr3 % alignment)))) {
    context.warn(env, setting.value, 'not-in-slot', `the root ${show(cr3 - (cr3 % alignment))} is in no slot`);
  }
  return cr3;
}

/** Tables whose name stands for CR3 must be of the vCPU's paging mode. */
export function checkFormat(
  context: Context,
  node: Node,
  named: Named,
  paging: PagingMode,
  env: Env,
  around: Pick<VcpuSurroundings, 'tables'>,
): void {
  const tables = around.tables(named);
  if (!tables || tables.format === paging || paging === 'none') return;
  const related = [{ file: named.file, node: named.definition, message: `${named.name} is defined here` }];
  context.report(env, node, 'format-mismatch', `${named.name} are ${tables.format} tables, and the vCPU has ${paging} paging`, { related });
}
