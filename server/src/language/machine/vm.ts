/** `vm guest { … }`: a virtual machine; inside another one, a nested guest. lower/vm-planner.ts plans it from its items. */
import { noAddress } from '../kind';
import type { FileItemKind, VmItemKind } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, Definition, VmItem } from '../syntax/tree';
import type { SettingSpecs } from './setting';

export interface Vm extends Base {
  readonly kind: 'vm';
  readonly name: Definition | null;
  readonly body: Body<VmItem> | null;
}

const VM_NAME = { ERR_MSG: 'the name of the vm', DEFINES: 'vm', LABEL: 'name' } as const;

/** `vm guest { … }` */
const rule: Rule<[], Vm> = ($) => () => {
  const start = $.CONSUME($.t.word('vm')).startOffset;
  const name = $.definitionOrNull($.CONSUME($.t.Word, VM_NAME), 'vm');
  const body = $.SUBRULE($.vmBody, { ARGS: [name ? `vm ${name.text}` : 'vm'] });
  return { kind: 'vm', name, body, range: $.since(start) };
};

export const vm: FileItemKind<Vm> & VmItemKind<Vm> = {
  rule,
  words: { declaration: { vm: 'A virtual machine; inside another one, a nested guest.' } },
  numbered: 'never',
  line: 'plain',
  bind: (node, _scope, binder) => binder.all(node.body?.items ?? [], binder.definitions.ofVm(node)),
  address: noAddress,
  outline: ({ name, body }) => ({ name: name?.text ?? 'vm', detail: 'vm', symbol: 'vm', at: name, inner: body?.items }),
  declare: (node, scope, definitions) => definitions.declareVm(node, scope),
  once: () => 'vm',
  // It has a plan of its own, made after that of the VM around it (lower/programs.ts).
  plan: {},
};

/** Settings of a VM. */
export const VM_SETTINGS: SettingSpecs = {
  mmu: {
    takes: 'choice', default: 'ept',
    about: "How this VM's memory is virtualized by its hypervisor. A run's `under` overrides it.",
    choices: {
      soft: 'Soft MMU: shadow page tables, built from the guest tables on intercepted page faults.',
      ept: 'Hard MMU, Intel: extended page tables translate GPA to HPA.',
      npt: 'Hard MMU, AMD: nested page tables translate GPA to HPA.',
    },
  },
  cpuid: { takes: 'block', block: 'cpuid', about: 'What CPUID shows to the guest, where that is other than what the processor has: KVM goes by it, the processor does not. A VM inside sees it too.' },
  hypervisor: {
    takes: 'choice', default: 'kvm',
    about: 'How this VM behaves as a hypervisor for the VMs inside it.',
    choices: {
      kvm: 'L1 behaves as KVM does: it builds its tables for L2 on the exits that it sees.',
      script: 'L1 does only what the script says: it edits its tables, invalidates, and enters L2.',
    },
  },
  root: { takes: 'address', about: 'For a VM inside a VM whose hypervisor is the script: root of the tables by which it runs (EPT, NPT or shadow tables in the memory of the VM around it).' },
  vmcs: { takes: 'address', about: "For a VM inside a VM: guest-physical address of L1's VMCS or VMCB for it." },
  vpid: { takes: 'number', bounds: { least: 0n, most: 0xffffn }, default: '1', about: 'For a VM inside a VM: the VPID or ASID that L1 gives it; 0 is none, so every entry flushes.' },
}; // prettier-ignore
