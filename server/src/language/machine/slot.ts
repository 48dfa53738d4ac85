/** `slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000  readonly }`, also after `host create`. */
import { bindParts, declaresNothing, noAddress } from '../kind';
import type { Outliner, OutlineEntry, VmItemKind } from '../kind';
import type { Context } from '../lower/context';
import { Settings } from '../lower/read-settings';
import type { SlotDraft } from '../lower/slots';
import type { Env } from '../semantics/values';
import { value } from '../syntax/grammar/rule';
import type { Grammar, Rule } from '../syntax/grammar/rule';
import type { Base, Body, ErrorNode, Expression } from '../syntax/tree';
import { PAGE_SIZES } from './setting';
import type { Setting, SettingSpecs } from './setting';

export interface Slot extends Base {
  readonly kind: 'slot';
  readonly id: Expression;
  readonly body: Body<Setting | ErrorNode> | null;
}

const SLOT_ID = value('the id of the slot', 'slot');

/** An expression as it stands, for messages. */
function textOf($: Grammar, { range }: Expression): string {
  return $.RECORDING_PHASE ? '' : $.text.slice(range.start, Math.min(range.end, range.start + 30));
}

/** `slot 0 { gpa 0  size 16M }` */
const rule: Rule<[], Slot> = ($) => () => {
  const start = $.CONSUME($.t.word('slot')).startOffset;
  const id = $.SUBRULE($.expression, SLOT_ID);
  const body = $.SUBRULE($.slotSettings, { ARGS: [`slot ${textOf($, id)}`] });
  return { kind: 'slot', id, body, range: $.since(start) };
};

export const slot: VmItemKind<Slot> = {
  rule,
  words: {
    declaration: {
      slot: 'A memory slot, as KVM_SET_USER_MEMORY_REGION makes it: guest-physical addresses backed by memory of the VMM (KVM API §4.35).',
    },
  },
  numbered: 'alone',
  line: 'slot',
  bind: bindParts,
  address: noAddress,
  outline,
  declare: declaresNothing,
  once: () => null,
  plan: { memory: (vm, node, env) => vm.addSlot(draftSlot(vm.context, node, env, vm.hostPageSize)) },
};

function outline({ id, body }: Slot, { text }: Outliner): OutlineEntry {
  const told = (body?.items ?? []).filter((item) => item.kind === 'setting' && ['gpa', 'size'].includes(item.name.text));
  return { name: `slot ${text(id)}`, detail: told.map(text).join(' · '), symbol: 'field', at: id };
}

/** Settings of a slot. */
export const SLOT_SETTINGS: SettingSpecs = {
  gpa: { takes: 'address', about: '`guest_phys_addr` of KVM_SET_USER_MEMORY_REGION: where the slot begins in guest-physical memory. A multiple of 4K.' },
  size: { takes: 'size', about: '`memory_size` of KVM_SET_USER_MEMORY_REGION: bytes, a multiple of 4K.' },
  hva: { takes: 'address', computed: 'allocated', about: "`userspace_addr` of KVM_SET_USER_MEMORY_REGION: where the slot's memory lies in the VMM; of a VM inside a VM: in the guest-physical memory of that one. A multiple of 4K." },
  readonly: { takes: 'nothing', about: 'KVM_MEM_READONLY: reads reach memory, writes become MMIO exits.' },
  log_dirty: { takes: 'nothing', about: 'KVM_MEM_LOG_DIRTY_PAGES: KVM notes which pages are written; see `get dirty log`.' },
  address_space: { takes: 'number', bounds: { least: 0n, most: 0xffffn }, default: '0', about: 'Address space of the slot id (bits 31:16): 0 is normal, 1 is SMM.' },
  pages: { takes: 'size', bounds: PAGE_SIZES, computed: 'those of the host', about: 'Size of the host pages that back the slot: `4K`, `2M` or `1G`.' },
  populated: { takes: 'nothing', about: 'The host pages are there from the start. This is the default.' },
  untouched: { takes: 'nothing', about: 'The host pages come into being when they are first touched.' },
  hugetlbfs: { takes: 'nothing', about: 'Host pages of 2M are of hugetlbfs, which are never divided. Otherwise they are transparent huge pages; those of 1G are always of hugetlbfs.' },
}; // prettier-ignore

/** Null when something needed is missing or unknown, which has been reported. */
export function draftSlot(context: Context, node: Slot, env: Env, pageSize: number): SlotDraft | null {
  const id = context.between(node.id, env, 'the id of a slot', 0n, 0xffff_ffffn);
  const settings = new Settings(context, SLOT_SETTINGS, node.body?.items ?? [], env);
  for (const name of ['gpa', 'size']) {
    if (node.body && !settings.has(name)) {
      context.report(env, node.id, 'setting-missing', `the slot needs ${name === 'gpa' ? 'a gpa' : 'a size'}`);
    }
  }
  if (settings.has('populated') && settings.has('untouched')) {
    context.report(env, settings.node('untouched')!, 'feature-conflict', 'a slot is either populated or untouched');
  }
  const gpa = settings.big('gpa');
  const size = settings.big('size');
  const hva = settings.big('hva');
  const space = settings.number('address_space');
  if (id === null || gpa === null || size === null || (settings.has('hva') && hva === null)) return null;
  const config = {
    id: Number(id),
    gpa: Number(gpa),
    size: Number(size),
    hva: hva === null ? null : Number(hva),
    readonly: settings.has('readonly'),
    logDirty: settings.has('log_dirty'),
    ...(space > 0 ? { addressSpace: space } : {}),
    backing: {
      pageSize: settings.has('pages') ? settings.number('pages') || pageSize : pageSize,
      populated: !settings.has('untouched'),
      ...(settings.has('hugetlbfs') && { hugetlbfs: true }),
    },
  };
  return { node, env, config };
}
