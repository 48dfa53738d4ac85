/** `cpuid { maxphyaddr 40  page1g off }`: what CPUID shows to a guest, apart from the processor's own features (KVM_SET_CPUID2). */
import type { Cpuid, Features } from '../../engine/program';
import type { Context } from '../lower/context';
import { Settings } from '../lower/read-settings';
import type { Env } from '../semantics/values';
import type { Node } from '../syntax/tree';
import type { SettingSpec, SettingSpecs } from './setting';

const shown = (about: string): SettingSpec => ({ takes: 'switch', about, computed: 'what the processor has' });

/** Settings of a guest's CPUID. */
export const CPUID_SETTINGS: SettingSpecs = {
  maxphyaddr: { takes: 'number', bounds: { least: 36n, most: 52n }, computed: 'that of the processor', about: "Width of a physical address as the guest sees it, 36 to the processor's (`cpuid_query_maxphyaddr`). KVM's own walks and loads of CR3 take bits at and above it for reserved; a processor that walks the guest's tables itself does not." },
  la57: shown('5-level paging: without it CR4.LA57 is reserved (`__cr4_reserved_bits`).'),
  nx: shown('Execute-disable: without it WRMSR of EFER.NXE is #GP (`__kvm_valid_efer`).'),
  smep: shown('Without it CR4.SMEP is reserved.'),
  smap: shown('Without it CR4.SMAP is reserved.'),
  pcid: shown('Without it CR4.PCIDE is reserved.'),
  pku: shown('Protection keys for user pages: without it CR4.PKE is reserved. KVM shows it with EPT or NPT only.'),
  page1g: shown("1-GByte pages: under soft MMU PS in a PDPT entry is reserved without it; where the processor walks the guest's tables its own feature counts (`guest_can_use_gbpages`)."),
}; // prettier-ignore

const FEATURES: { readonly [setting: string]: keyof Features } = {
  la57: 'la57',
  nx: 'nx',
  smep: 'smep',
  smap: 'smap',
  pcid: 'pcid',
  pku: 'pku',
  page1g: 'page1G',
};

/** @param around what is shown where nothing is said: what the processor has, or what the VM around shows; itself, if nothing is */
export function readCpuid(context: Context, items: readonly Node[], env: Env, around: Cpuid): Cpuid {
  if (items.length === 0) return around;
  const settings = new Settings(context, CPUID_SETTINGS, items, env);
  const features: { -readonly [feature in keyof Features]: Features[feature] } = { ...around.features };
  for (const [setting, feature] of Object.entries(FEATURES)) {
    if (!settings.has(setting)) continue;
    const on = settings.switch(setting);
    if (on && !around.features[feature])
      context.report(env, settings.node(setting)!, 'feature-conflict', `the processor has no ${setting} to show (cpu { ${setting} off })`);
    features[feature] = on && around.features[feature];
  }
  const written = settings.big('maxphyaddr');
  const maxPhyAddr = written === null ? around.maxPhyAddr : Number(written);
  if (maxPhyAddr > around.maxPhyAddr) {
    const message = `the processor's physical addresses have ${around.maxPhyAddr} bits (host { maxphyaddr ${around.maxPhyAddr} })`;
    context.report(env, settings.node('maxphyaddr')!, 'out-of-range', message);
  }
  return { maxPhyAddr: Math.min(maxPhyAddr, around.maxPhyAddr), features };
}
