/**
 * A program as the text of a scenario that runs it: what a failing random program is told as. Programs of one VM of the
 * host, without expectations and edits by name.
 */
import { registerBit } from '../../server/src/language/lower/registers';
import type {
  Act,
  Features,
  HostAct,
  HostConfig,
  KvmOptions,
  Program,
  SlotConfig,
  VcpuConfig,
  VmConfig,
} from '../../server/src/engine/program';
import { opened } from './scripts';

/** The language's words for what the program calls otherwise. */
const CPU: { readonly [feature in keyof Features]: string } = {
  la57: 'la57',
  nx: 'nx',
  smep: 'smep',
  smap: 'smap',
  pcid: 'pcid',
  pku: 'pku',
  pks: 'pks',
  page1G: 'page1g',
  pse36: 'pse36',
  eptAd: 'ept_ad',
  eptExecuteOnly: 'ept_execute_only',
  ept1G: 'ept_1g',
  ept5Level: 'ept_5level',
  pml: 'pml',
  vmcsShadowing: 'vmcs_shadowing',
  vpid: 'vpid',
};
const KVM: { readonly [option in keyof KvmOptions]: string } = {
  prefetch: 'prefetch',
  unsync: 'unsync',
  largePages: 'large_pages',
  fastPageFault: 'fast_page_fault',
  cachedRoots: 'cached_roots',
  flooding: 'flooding',
  tdpMmu: 'tdp_mmu',
  pml: 'pml',
  eptAd: 'ept_ad',
  nrMmuPages: 'nr_mmu_pages',
  dirtyLogInitiallySet: 'dirty_log_initially_set',
  shareEptRoot: 'share_ept_root',
  vmreads: 'vmreads',
  vmwrites: 'vmwrites',
  kernel: 'kernel',
};
const INVPCID = ['', '', 'all', 'non_global'];
const BITS = ['wp', 'pg', 'pe', 'pse', 'pae', 'pge', 'pcide', 'smep', 'smap', 'pke', 'pks', 'la57', 'nxe', 'lme', 'ac'];

export function scenarioText({ machine, acts }: Program): string {
  const [vm] = machine.vms;
  const lines = [...hostLines(machine.host), `vm ${vm.name} {`, `  mmu ${vm.mmu}`, ...vmLines(vm), '}', `run ${vm.name} {`];
  for (const act of acts) lines.push(`  ${statement(act)}`);
  return [...lines, '}', ''].join('\n');
}

/** Only what differs from the language's own defaults. */
function hostLines(host: HostConfig): string[] {
  const [{ machine }] = opened(
    'vm guest { slot 0 { gpa 0  size 4K }  vcpu { paging none } }\nrun guest { check invariants }',
  ).analysis.programs();
  const usual = machine.host;
  const settings: string[] = [];
  if (host.memory !== usual.memory) settings.push(`memory ${host.memory}`);
  if (host.pageSize !== usual.pageSize) settings.push(`pages ${size(host.pageSize)}`);
  if (host.maxPhyAddr !== usual.maxPhyAddr) settings.push(`maxphyaddr ${host.maxPhyAddr}`);
  const cpu = differences(CPU, host.features, usual.features);
  if (host.vendor !== usual.vendor) cpu.push(`vendor ${host.vendor}`);
  if (cpu.length > 0) settings.push(`cpu { ${cpu.join('  ')} }`);
  const { on, l1, l2, pagingStructureEntries } = host.tlb;
  settings.push(
    on ? `tlb { l1 ${l1.sets} x ${l1.ways}  l2 ${l2.sets} x ${l2.ways}  paging_structures ${pagingStructureEntries} }` : 'tlb off',
  );
  const kvm = differences(KVM, host.kvm, usual.kvm);
  if (kvm.length > 0) settings.push(`kvm { ${kvm.join('  ')} }`);
  return ['host {', ...settings.map((setting) => `  ${setting}`), '}'];
}

function differences<T extends object>(words: { readonly [name in keyof T]: string }, values: T, usual: T): string[] {
  const names = Object.keys(words) as (keyof T & string)[];
  return names.filter((name) => values[name] !== usual[name]).map((name) => `${words[name]} ${valueText(values[name])}`);
}

function valueText(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
}

function vmLines({ slots, memory, vcpus }: VmConfig): string[] {
  const lines = slots.map((slot) => `  slot ${slot.id} ${slotText(slot)}`);
  for (const { gpa, words } of memory) {
    words.forEach((word, i) => {
      if (word !== 0n) lines.push(`  word ${hex(gpa + i * 8)} = ${hex(word)}`);
    });
  }
  return [...lines, ...vcpus.map((vcpu, i) => `  vcpu ${i} { ${vcpuText(vcpu)} }`)];
}

function slotText({ gpa, size: bytes, hva, readonly, logDirty, addressSpace = 0, backing }: SlotConfig): string {
  const flags = [readonly ? 'readonly' : '', logDirty ? 'log_dirty' : '', addressSpace > 0 ? `address_space ${addressSpace}` : ''];
  const { pageSize, populated } = backing;
  const all = [
    `gpa ${hex(gpa)}`,
    `size ${size(bytes)}`,
    `hva ${hex(hva)}`,
    ...flags,
    `pages ${size(pageSize)}`,
    populated ? '' : 'untouched',
  ];
  return `{ ${all.filter((each) => each !== '').join('  ')} }`;
}

function vcpuText({ paging, cr3, cpl, cr0, cr4, efer, eflagsAc, pkru, pkrs }: VcpuConfig): string {
  const parts = [`paging ${paging}`];
  if (paging !== 'none') parts.push(`cr3 ${hex(cr3)}`);
  if (cpl !== 0) parts.push(`cpl ${cpl}`);
  if (!cr0.wp) parts.push('cr0.wp off');
  for (const [bit, on] of Object.entries(cr4)) if (on) parts.push(`cr4.${bit} on`);
  parts.push(`efer.nxe ${valueText(efer.nxe)}`);
  if (eflagsAc) parts.push('eflags.ac on');
  if (pkru !== 0) parts.push(`pkru ${hex(pkru)}`);
  if (pkrs !== 0) parts.push(`pkrs ${hex(pkrs)}`);
  return parts.join('  ');
}

function statement(act: Act): string {
  const text = bare(act);
  return 'by' in act && act.by.vcpu > 0 ? `vcpu ${act.by.vcpu}: ${text}` : text;
}

function bare(act: Act): string {
  switch (act.do) {
    case 'access': {
      const who = act.implicit ? 'implicit' : act.user ? 'user' : 'supervisor';
      const value = act.value === null ? '' : act.access === 'rmw' ? ` += ${hex(act.value)}` : ` = ${hex(act.value)}`;
      const more = [
        act.size === 8 ? '' : ` size ${act.size}`,
        act.ac === null ? '' : ` ac ${valueText(act.ac)}`,
        act.count === 1 ? '' : ` x ${act.count} step ${act.stride}`,
        act.handler === null ? '' : ` on fault { ${act.handler.map(statement).join('\n')} }`,
      ];
      return `${who} ${act.access} ${hex(act.address)}${value}${more.join('')}`;
    }
    case 'store':
      return `word ${hex(act.gpa)} = ${hex(act.value)}${act.size === 8 ? '' : ` size ${act.size}`}`;
    case 'register': {
      if (act.mask === undefined) return `${act.register} = ${hex(act.value)}`;
      const bit = BITS.find((name) => registerBit(act.register, name) === act.mask);
      if (bit === undefined) throw new Error(`no name for bits ${act.mask.toString(16)} of ${act.register}`);
      return `${act.register}.${bit} = ${act.value === 0n ? 'off' : 'on'}`;
    }
    case 'invlpg':
      return `invlpg ${hex(act.address)}`;
    case 'invpcid':
      if (act.type === 0) return `invpcid ${hex(act.address)} pcid ${act.pcid}`;
      return act.type === 1 ? `invpcid pcid ${act.pcid}` : `invpcid ${INVPCID[act.type]}`;
    case 'check-invariants':
      return 'check invariants';
    case 'edit':
    case 'expect':
    case 'invept':
    case 'invvpid':
    case 'vmenter':
    case 'vmcs':
    case 'instruction':
      throw new Error(`${act.do} is not printed`);
    default:
      return `host ${hostText(act)}`;
  }
}

function hostText(act: HostAct): string {
  switch (act.do) {
    case 'set-slot':
      return `create slot ${act.slot.id} ${slotText(act.slot)}`;
    case 'delete-slot':
      return `delete slot ${act.id}`;
    case 'move-slot':
      return `move slot ${act.id} to ${hex(act.gpa)}`;
    case 'slot-flags': {
      const flags = [act.logDirty ? 'log_dirty' : '', act.readonly ? 'readonly' : ''].filter((flag) => flag !== '');
      return `flags slot ${act.id} ${flags.length > 0 ? flags.join(' ') : 'none'}`;
    }
    case 'get-dirty-log':
      return `get dirty log slot ${act.id}`;
    case 'clear-dirty-log':
      return `clear dirty log slot ${act.id} pages ${act.first} .. ${act.first + act.pages - 1}`;
    case 'reclaim':
      return `reclaim hva ${hex(act.hva)} +${size(act.size)}`;
    case 'protect':
      return `protect hva ${hex(act.hva)} +${size(act.size)} ${act.writable ? 'rw' : 'ro'}`;
    case 'split':
    case 'collapse':
      return `${act.do} hva ${hex(act.hva)} +${size(act.size)}`;
    case 'host-write':
      return `write gpa ${hex(act.gpa)} = ${hex(act.value)}`;
    case 'zap-all':
      return 'zap all';
    case 'set-nr-mmu-pages':
      return `nr_mmu_pages ${act.pages}`;
  }
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function size(bytes: number): string {
  for (const [unit, shift] of [
    ['G', 30],
    ['M', 20],
    ['K', 10],
  ] as const) {
    if (bytes > 0 && bytes % 2 ** shift === 0) return `${bytes / 2 ** shift}${unit}`;
  }
  return String(bytes);
}
