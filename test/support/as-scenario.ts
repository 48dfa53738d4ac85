/**
 * A program of one VM as a `.mmu` scenario: what a failing random program is shown as, to be opened in the editor. Says only what differs
 * from the language's defaults. Expectations are left out; edits by name too, since a program has no names: use stores.
 */
import type {
  Act,
  Features,
  HostConfig,
  KvmOptions,
  MachineConfig,
  MmuKind,
  Program,
  SlotConfig,
  VcpuConfig,
} from '../../server/src/engine/program';
import { registerBit } from '../../server/src/language/lower/registers';
import { REGISTERS } from '../../server/src/language/syntax/words/paging';
import { openScript } from '../../server/src/api/language';
import { bytes, hex } from '../../server/src/events/wording';

/** Machine and acts as a scenario, run under each of `kinds`, with `same` and `check invariants` at its end. */
export function asScenario(machine: MachineConfig, acts: readonly Act[], kinds: readonly MmuKind[], comment = ''): string {
  if (machine.vms.length !== 1) throw new Error('a scenario is printed of one VM alone');
  const [vm] = machine.vms;
  const usual = defaults();
  return [
    ...comment.split('\n').filter(Boolean).map((line) => `// ${line}`),
    ...host(machine.host, usual.host),
    `vm ${vm.name} {`,
    ...vm.slots.map((slot) => `  slot ${slot.id} { ${slotText(slot, machine.host.pageSize)} }`),
    ...vm.memory.flatMap(({ gpa, words }) => [...words].flatMap((word, i) => (word === 0n ? [] : [`  word ${hex(gpa + i * 8)} = ${hex(word)}`]))),
    ...vm.vcpus.map((vcpu, i) => `  vcpu ${vm.vcpus.length > 1 ? `${i} ` : ''}{ ${vcpuText(vcpu, usual.vcpu)} }`),
    '}',
    '',
    `run ${vm.name} under ${kinds.join(', ')} {`,
    ...acts.map((act) => `  ${statement(act)}`),
    ...(kinds.length > 1 ? ['  same'] : []),
    '  check invariants',
    '}',
    '',
  ].join('\n'); // prettier-ignore
}

/** The same of a program, under the MMU of its VM. */
export function programAsScenario({ machine, acts }: Program): string {
  return asScenario(machine, acts, [machine.vms[0].mmu]);
}

interface Defaults {
  readonly host: HostConfig;
  readonly vcpu: VcpuConfig;
}

let known: Defaults | null = null;

/** What a scenario has that names nothing. */
function defaults(): Defaults {
  if (!known) {
    const { machine } = openScript('vm guest { slot 0 { gpa 0 size 4K }  vcpu { cr3 0 } }\nrun { read 0 }', 'file:///d.mmu', {
      read: () => null,
    }).programs[0];
    known = { host: machine.host, vcpu: machine.vms[0].vcpus[0] };
  }
  return known;
}

const setting = (value: boolean | number | string): string => (typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value));

/** `fastPageFault` → `fast_page_fault`; digits stay with what they count (`page1g`), but for EPT's. */
function settingName(key: string): string {
  return key.replace(/^ept(?=\d)/, 'ept_').replace(/(?<!\d)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace('5Level', '5level').replace('1G', '1g'); // prettier-ignore
}

function different<T extends object>(value: T, usual: T): string[] {
  const keys = Object.keys(value) as (keyof T & string)[];
  return keys.filter((key) => value[key] !== usual[key]).map((key) => `${settingName(key)} ${setting(value[key] as boolean)}`);
}

function host(config: HostConfig, usual: HostConfig): string[] {
  const { memory, pageSize, maxPhyAddr, tlb } = config;
  const cpu = [
    ...(config.vendor === usual.vendor ? [] : [`vendor ${config.vendor}`]),
    ...different<Features>(config.features, usual.features),
  ];
  const kvm = different<KvmOptions>(config.kvm, usual.kvm);
  const geometry = `tlb { l1 ${tlb.l1.sets} x ${tlb.l1.ways}  l2 ${tlb.l2.sets} x ${tlb.l2.ways}  paging_structures ${tlb.pagingStructureEntries} }`;
  const items = [
    ...(memory === usual.memory ? [] : [`memory ${bytes(memory)}`]),
    ...(pageSize === usual.pageSize ? [] : [`pages ${bytes(pageSize)}`]),
    ...(maxPhyAddr === usual.maxPhyAddr ? [] : [`maxphyaddr ${maxPhyAddr}`]),
    ...(cpu.length === 0 ? [] : [`cpu { ${cpu.join('  ')} }`]),
    ...(tlb.on ? (JSON.stringify(tlb) === JSON.stringify(usual.tlb) ? [] : [geometry]) : ['tlb off']),
    ...(kvm.length === 0 ? [] : [`kvm { ${kvm.join('  ')} }`]),
  ];
  return items.length === 0 ? [] : ['host {', ...items.map((item) => `  ${item}`), '}', ''];
}

function slotText(slot: SlotConfig, pageSize: number): string {
  return [
    `gpa ${hex(slot.gpa)}  size ${bytes(slot.size)}  hva ${hex(slot.hva)}`,
    slot.readonly && 'readonly',
    slot.logDirty && 'log_dirty',
    slot.addressSpace && `address_space ${slot.addressSpace}`,
    slot.backing.pageSize !== pageSize && `pages ${bytes(slot.backing.pageSize)}`,
    !slot.backing.populated && 'untouched',
  ].filter(Boolean).join('  '); // prettier-ignore
}

function vcpuText(vcpu: VcpuConfig, usual: VcpuConfig): string {
  const bits = <T extends object>(register: string, value: T, normal: T): string[] =>
    (Object.keys(value) as (keyof T & string)[])
      .filter((bit) => value[bit] !== normal[bit])
      .map((bit) => `${register}.${bit} ${setting(value[bit] as boolean)}`);
  return [
    ...(vcpu.paging === usual.paging ? [] : [`paging ${vcpu.paging}`]),
    ...(vcpu.paging === 'none' && vcpu.cr3 === 0n ? [] : [`cr3 ${hex(vcpu.cr3)}`]),
    ...(vcpu.cpl === usual.cpl ? [] : [`cpl ${vcpu.cpl}`]),
    ...bits('cr0', vcpu.cr0, usual.cr0),
    ...bits('cr4', vcpu.cr4, usual.cr4),
    ...bits('efer', vcpu.efer, usual.efer),
    ...(vcpu.eflagsAc ? ['eflags.ac on'] : []),
    ...(vcpu.pkru === 0 ? [] : [`pkru ${hex(vcpu.pkru)}`]),
    ...(vcpu.pkrs === 0 ? [] : [`pkrs ${hex(vcpu.pkrs)}`]),
  ].join('  ');
}

/** An act on one line; a handler's acts stand in its braces. */
function statement(act: Act): string {
  const by = 'by' in act && act.by.vcpu > 0 ? `vcpu ${act.by.vcpu}: ` : '';
  return by + actText(act);
}

type Do<K extends Act['do']> = Extract<Act, { do: K }>;

function actText(act: Act): string {
  switch (act.do) {
    case 'access':
      return accessText(act);
    case 'store':
      return `word ${hex(act.gpa)} = ${hex(act.value)}${act.size === 4 ? ' size 4' : ''}`;
    case 'register':
      return registerText(act);
    case 'instruction':
      return act.instruction === 'rdmsr' ? 'rdmsr efer' : act.instruction;
    case 'mov-from':
      return `mov from ${act.register}`;
    case 'invlpg':
      return `invlpg ${hex(act.address)}`;
    case 'invpcid':
      return `invpcid ${[`${hex(act.address)} pcid ${act.pcid}`, `pcid ${act.pcid}`, 'all', 'non_global'][act.type]}`;
    case 'check-invariants':
      return 'check invariants';
    case 'set-slot':
      return `host create slot ${act.slot.id} { ${slotText(act.slot, 0)} }`;
    case 'delete-slot':
      return `host delete slot ${act.id}`;
    case 'move-slot':
      return `host move slot ${act.id} to ${hex(act.gpa)}`;
    case 'slot-flags':
      return `host flags slot ${act.id} ${[act.logDirty && 'log_dirty', act.readonly && 'readonly'].filter(Boolean).join(' ') || 'none'}`;
    case 'get-dirty-log':
      return `host get dirty log slot ${act.id}`;
    case 'clear-dirty-log':
      return `host clear dirty log slot ${act.id} pages ${act.first} +${act.pages}`;
    case 'reclaim':
      return `host reclaim hva ${hex(act.hva)} +${bytes(act.size)}`;
    case 'protect':
      return `host protect hva ${hex(act.hva)} +${bytes(act.size)} ${act.writable ? 'rw' : 'ro'}`;
    case 'split':
    case 'collapse':
      return `host ${act.do} hva ${hex(act.hva)} +${bytes(act.size)}`;
    case 'host-write':
      return `host write gpa ${hex(act.gpa)} = ${hex(act.value)}`;
    case 'zap-all':
      return 'host zap all';
    case 'set-nr-mmu-pages':
      return `host nr_mmu_pages ${act.pages}`;
    default:
      throw new Error(`a scenario of one VM without names has no ${act.do}`);
  }
}

function accessText(act: Do<'access'>): string {
  const who = act.implicit ? 'implicit' : act.user ? 'user' : 'supervisor';
  return [
    `${who} ${act.access} ${hex(act.address)}`,
    act.value !== null && `${act.access === 'rmw' ? '+=' : '='} ${hex(act.value)}`,
    act.size !== 8 && `size ${act.size}`,
    act.ac !== null && `ac ${act.ac ? 'on' : 'off'}`,
    act.count !== 1 && `x ${act.count}`,
    act.stride !== 0n && `step ${act.stride}`,
    act.handler && `on fault { ${act.handler.map(statement).join('  ')} }`,
  ].filter(Boolean).join(' '); // prettier-ignore
}

function registerText({ register, value, mask }: Do<'register'>): string {
  if (mask === undefined) return `${register} = ${hex(value)}`;
  const bit = Object.keys(REGISTERS[register].bits).find((name) => registerBit(register, name) === mask);
  if (!bit) throw new Error(`no name for bits ${hex(mask)} of ${register}`);
  return `${register}.${bit} = ${setting((value & mask) !== 0n)}`;
}
