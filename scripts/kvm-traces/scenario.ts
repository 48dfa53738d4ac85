/**
 * Scenario of a scripted guest that was run under a real KVM, as JSON in the form that `test/kvm-traces/README.md`
 * describes. Reading is strict: what the form does not have is an error.
 */
import type { PagingMode, Performer } from '../../server/src/engine/program';
import { OWN } from './cleaning';
import type { Schema } from './cleaning';
import { identityWords, setNarrow } from './identity-map';
import { big, list, number, object, string } from './json';
import type { Json } from './json';
import { nestedSetup } from './nested/setup';
import type { NestedSetup } from './nested/setup';

export interface Scenario {
  /** 1: an interpreter in a 4-level guest; 2: stubs in any paging mode, perhaps on several vCPUs. */
  readonly schema: Schema;
  readonly name: string;
  readonly cpu: Cpu;
  readonly slots: readonly SlotSpec[];
  /** The VMM has not disabled KVM_X86_QUIRK_SLOT_ZAP_ALL. */
  readonly slotZapAll: boolean;
  /** Aligned words of guest memory at the start. */
  readonly words: ReadonlyMap<number, bigint>;
  readonly bytes: readonly { readonly gpa: number; readonly bytes: Uint8Array }[];
  /** Words whose changes are reported, by address. */
  readonly watch: readonly number[];
  readonly own: OwnAccesses;
  readonly nested: NestedSetup | null;
  readonly ops: readonly Op[];
}

export interface Cpu {
  readonly paging: PagingMode;
  readonly vcpus: number;
  /** The processor has LA57, and the host 5-level tables. */
  readonly la57: boolean;
  readonly maxPhyAddr: number;
  readonly cr0: bigint;
  readonly cr3: bigint;
  /** CR3 of further vCPUs at the start. */
  readonly cr3b: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
}

export interface SlotSpec {
  readonly id: number;
  readonly gpa: number;
  readonly size: number;
  readonly readonly: boolean;
  readonly logDirty: boolean;
  readonly backing: BackingSpec;
}

export type BackingSpec =
  | { readonly kind: 'anonymous'; readonly pageSize: number; readonly populated: boolean; readonly hugetlbfs: boolean }
  /** The memory of another slot, which may have been deleted just before. */
  | { readonly kind: 'shared'; readonly slot: number; readonly offset: number };

/** Accesses that the recorded interpreter makes by itself, by occasion. */
export interface OwnAccesses {
  readonly warmup: readonly OwnAccess[];
  readonly beforeOp: readonly OwnAccess[];
  readonly beforeAccess: readonly OwnAccess[];
  readonly cpl3: readonly OwnAccess[];
  /** After an access at CPL 3. */
  readonly cpl3After: readonly OwnAccess[];
  /** At a call of code at CPL 3, and at CPL 0. */
  readonly cpl3Call: readonly OwnAccess[];
  readonly cpl0Call: readonly OwnAccess[];
  readonly onGuestFault: readonly OwnAccess[];
  readonly afterOp: readonly OwnAccess[];
}

export interface OwnAccess {
  readonly kind: 'R' | 'W' | 'X';
  /** Address for operation i: base + step * i. */
  readonly base: bigint;
  readonly step: bigint;
  readonly cpl: number;
}

export type AccessOp = OpBase & {
  /** W8 is CMPXCHG8B: a load, then a store. */
  readonly kind: 'R' | 'W' | 'RMW' | 'X' | 'W8';
  readonly size: 4 | 8;
  readonly va: bigint;
  readonly cpl: number;
  readonly ac: boolean;
  readonly value: bigint | null;
  readonly fix: Fix | null;
};

export type Op =
  | AccessOp
  | (OpBase & { readonly kind: 'INVLPG'; readonly va: bigint })
  | (OpBase & { readonly kind: 'CR0' | 'CR3' | 'CR4' | 'EFER'; readonly value: bigint })
  | (OpBase & { readonly kind: 'HOST'; readonly host: readonly HostCommand[] })
  | (OpBase & { readonly kind: 'L2INIT' })
  | NestedOp
  | VmxOp;

/** What L2's page of code does before it calls its hypervisor. */
export type NestedOp = OpBase & { readonly kind: 'L2'; readonly l2: NestedAccess; readonly va: bigint; readonly value: bigint };
export type NestedAccess = 'NOP' | 'R' | 'W' | 'RMW' | 'X' | 'INVLPG' | 'CR3';

/** What an L1 that uses VMX does as a hypervisor between two entries. */
export type VmxOp = OpBase &
  (
    | { readonly kind: 'INVEPT'; readonly type: number; readonly eptp: bigint }
    | { readonly kind: 'INVVPID'; readonly type: number; readonly vpid: number; readonly va: bigint }
    /** VMWRITE, by the field's encoding. */
    | { readonly kind: 'VMWR'; readonly field: number; readonly value: bigint }
    | { readonly kind: 'VMRD'; readonly field: number }
    | { readonly kind: 'RDMSR'; readonly msr: number }
  );

interface OpBase {
  readonly i: number;
  readonly vcpu: number;
  readonly text: string;
}

/** The guest's #PF handler: a store at CPL 0, perhaps INVLPG of the operation's address, then another try. */
export interface Fix {
  readonly va: bigint;
  readonly value: bigint;
  readonly invlpg: boolean;
}

export type HostCommand =
  | { readonly cmd: 'set_slot'; readonly slot: SlotSpec }
  | { readonly cmd: 'delete_slot'; readonly slot: number }
  | { readonly cmd: 'move_slot'; readonly slot: number; readonly gpa: number }
  | { readonly cmd: 'set_flags'; readonly slot: number; readonly flags: number }
  | { readonly cmd: 'get_dirty_log'; readonly slot: number }
  | { readonly cmd: 'madvise_dontneed'; readonly slot: number; readonly offset: number; readonly size: number }
  | { readonly cmd: 'mprotect'; readonly slot: number; readonly offset: number; readonly size: number; readonly writable: boolean }
  | { readonly cmd: 'host_write'; readonly slot: number; readonly offset: number; readonly value: bigint }
  | { readonly cmd: 'host_write_gpa'; readonly gpa: number; readonly value: bigint }
  | { readonly cmd: 'set_nr_mmu_pages'; readonly n: number };

/** Its guest is a hypervisor that uses VMX. */
export function isVmx({ nested }: Scenario): boolean {
  return nested?.extension.isa === 'vmx';
}

/** The first vCPU of these guests. */
export const GUEST: Performer = { vm: 0, vcpu: 0 };

/** @throws Error that says what in the text is not of the form */
export function readScenario(text: string): Scenario {
  const json = object(JSON.parse(text), 'scenario');
  const cpu = object(json.cpu, 'cpu');
  const schema = schemaOf(json.schema);
  return {
    schema,
    name: string(json.name, 'name'),
    cpu: {
      paging: schema === 1 ? '4-level' : pagingOf(cpu.mode),
      vcpus: number(cpu.vcpus ?? 1, 'cpu.vcpus'),
      la57: cpu.la57 === true,
      cr3b: big(cpu.cr3b ?? cpu.cr3, 'cpu.cr3b'),
      maxPhyAddr: number(cpu.maxphyaddr, 'cpu.maxphyaddr'),
      cr0: big(cpu.cr0, 'cpu.cr0'),
      cr3: big(cpu.cr3, 'cpu.cr3'),
      cr4: big(cpu.cr4, 'cpu.cr4'),
      efer: big(cpu.efer, 'cpu.efer'),
    },
    slots: list(json.slots, 'slots').map((each) => slotSpec(object(each, 'slot'), 'id')),
    // No field has it: recordings say it where they say what they are about.
    slotZapAll: !string(json.description ?? '', 'description').includes('KVM_X86_QUIRK_SLOT_ZAP_ALL disabled'),
    words: memoryWords(json, schema),
    bytes: Object.entries(object(json.data_bytes ?? {}, 'data_bytes')).map(([gpa, hex]) => ({
      gpa: number(gpa, 'data_bytes'),
      bytes: Uint8Array.from(string(hex, 'data_bytes').match(/../g) ?? [], (digits) => parseInt(digits, 16)),
    })),
    watch: Object.values(object(json.watch ?? {}, 'watch')).map((gpa) => number(gpa, 'watch')),
    own: ownAccesses(object(json.own, 'own')),
    nested:
      json.nested === null || json.nested === undefined
        ? null
        : nestedSetup(object(json.nested, 'nested'), object(json.data_bytes ?? {}, 'data_bytes')),
    ops: list(json.ops, 'ops').map((each) => operation(object(each, 'operation'))),
  };
}

function schemaOf(value: unknown): Schema {
  const schema = number(value ?? 1, 'schema');
  if (!Object.hasOwn(OWN, schema)) throw new Error(`schema ${schema} is unknown`);
  return schema as Schema;
}

function pagingOf(value: unknown): PagingMode {
  const text = string(value, 'cpu.mode');
  const modes: { readonly [text: string]: PagingMode } = { none: 'none', 32: '32-bit', pae: 'pae', 4: '4-level', 5: '5-level' };
  const mode = Object.hasOwn(modes, text) ? modes[text] : undefined;
  if (mode === undefined) throw new Error(`cpu.mode: no mode ${text}`);
  return mode;
}

function memoryWords(json: Json, schema: Schema): Map<number, bigint> {
  const words = schema === 1 ? linearWords(object(json.linear_map, 'linear_map')) : identityMap(object(json.identity, 'identity'));
  for (const key of ['page_table_words', 'data_words']) {
    for (const [gpa, word] of Object.entries(object(json[key] ?? {}, key))) {
      const at = number(gpa, key);
      if (at % 8 === 0) words.set(at, big(word, key));
      else setNarrow(words, at, big(word, key));
    }
  }
  return words;
}

function identityMap(json: Json): Map<number, bigint> {
  const of = (key: string): bigint => big(json[key], `identity.${key}`);
  const user = list(json.user_pages, 'identity.user_pages').map((page) => number(page, 'identity.user_pages'));
  return identityWords({ size: Number(of('size')), flags: of('entry_flags'), user, userFlags: of('user_flags') });
}

function linearWords(linear: Json): Map<number, bigint> {
  const words = new Map<number, bigint>();
  const [base, size, flags] = [
    number(linear.gpa, 'linear_map.gpa'),
    number(linear.size, 'linear_map.size'),
    big(linear.entry_flags, 'linear_map.entry_flags'),
  ];
  const page = number(linear.page_size, 'linear_map.page_size');
  for (let gpa = base; gpa < base + size; gpa += page) words.set(LINEAR_TABLES + 8 * (gpa / page), BigInt(gpa) | flags);
  return words;
}

/** Where the level-1 tables of the linear map stand (`linear_map`). */
const LINEAR_TABLES = 0x10_3000;

function ownAccesses(json: Json): OwnAccesses {
  const of = (key: string): OwnAccess[] => list(json[key] ?? [], key).map((each) => ownAccess(list(each, key), key));
  // Schema 1 has them in one list: the first two come before the access.
  const cpl3 = of('cpl3');
  const before = json.cpl3_after === undefined ? cpl3.slice(0, 2) : cpl3;
  return {
    warmup: of('warmup'),
    beforeOp: of('before_op'),
    beforeAccess: of('before_access_R_W_X_RMW'),
    cpl3: before,
    cpl3After: json.cpl3_after === undefined ? cpl3.slice(2) : of('cpl3_after'),
    cpl3Call: of('cpl3_X'),
    cpl0Call: of('cpl0_X'),
    onGuestFault: of('on_guest_fault'),
    afterOp: of('after_op'),
  };
}

function ownAccess(parts: readonly unknown[], what: string): OwnAccess {
  const kind = string(parts[0], what);
  if (kind !== 'R' && kind !== 'W' && kind !== 'X') throw new Error(`${what}: no access ${kind}`);
  const [base, step] = string(parts[1], what).split('+');
  return {
    kind,
    base: BigInt(base.trim()),
    step: step === undefined ? 0n : BigInt(step.split('*')[0].trim()),
    cpl: number(parts[2], what),
  };
}

function operation(json: Json): Op {
  const base = {
    i: number(json.i, 'operation i'),
    text: string(json.text, 'operation text'),
    vcpu: number(json.vcpu ?? 0, 'operation vcpu'),
  };
  const what = `operation ${base.i}`;
  const kind = string(json.kind, what);
  switch (kind) {
    case 'R':
    case 'W':
    case 'RMW':
    case 'X':
    case 'W8': {
      const size = number(json.size ?? 8, what);
      if (size !== 4 && size !== 8) throw new Error(`${what}: no access of ${size} bytes`);
      const value = json.value === undefined ? null : big(json.value, what);
      const fix = json.fix === undefined || json.fix === null ? null : fixOf(object(json.fix, `${what} fix`));
      return { ...base, kind, size, va: big(json.va, what), cpl: number(json.cpl ?? 0, what), ac: Boolean(json.ac), value, fix };
    }
    case 'INVLPG':
      return { ...base, kind, va: big(json.va, what) };
    case 'CR0':
    case 'CR3':
    case 'CR4':
    case 'EFER':
      return { ...base, kind, value: big(json.value, what) };
    case 'HOST':
      return { ...base, kind, host: list(json.host, what).map((each) => hostCommand(object(each, what))) };
    case 'L2INIT':
      return { ...base, kind };
    case 'L2':
      return {
        ...base,
        kind,
        l2: nestedAccess(string(json.l2, what), what),
        va: big(json.va ?? '0x0', what),
        value: big(json.value ?? '0x0', what),
      };
    case 'INVEPT':
      return { ...base, kind, type: number(json.type, what), eptp: big(json.eptp ?? 0, what) };
    case 'INVVPID':
      return { ...base, kind, type: number(json.type, what), vpid: number(json.vpid ?? 0, what), va: big(json.va ?? 0, what) };
    case 'VMWR':
      return { ...base, kind, field: number(json.field, what), value: big(json.value, what) };
    case 'VMRD':
      return { ...base, kind, field: number(json.field, what) };
    case 'RDMSR':
      return { ...base, kind, msr: number(json.msr, what) };
    default:
      throw new Error(`${what}: unknown kind ${kind}`);
  }
}

function nestedAccess(text: string, what: string): NestedAccess {
  switch (text) {
    case 'NOP':
    case 'R':
    case 'W':
    case 'RMW':
    case 'X':
    case 'INVLPG':
    case 'CR3':
      return text;
    default:
      throw new Error(`${what}: L2 does no ${text}`);
  }
}

function fixOf(json: Json): Fix {
  return { va: big(json.va, 'fix.va'), value: big(json.value, 'fix.value'), invlpg: Boolean(json.invlpg) };
}

function hostCommand(json: Json): HostCommand {
  const cmd = string(json.cmd, 'host command');
  const of = (key: string): number => number(json[key], `${cmd}.${key}`);
  switch (cmd) {
    case 'set_slot':
      return { cmd, slot: slotSpec(json, 'slot') };
    case 'delete_slot':
    case 'get_dirty_log':
      return { cmd, slot: of('slot') };
    case 'move_slot':
      return { cmd, slot: of('slot'), gpa: of('gpa') };
    case 'set_flags':
      return { cmd, slot: of('slot'), flags: of('flags') };
    case 'madvise_dontneed':
      return { cmd, slot: of('slot'), offset: of('offset'), size: of('size') };
    case 'mprotect':
      return { cmd, slot: of('slot'), offset: of('offset'), size: of('size'), writable: (of('prot') & 2) !== 0 };
    case 'host_write':
      return { cmd, slot: of('slot'), offset: of('offset'), value: big(json.value, 'host_write.value') };
    case 'host_write_gpa':
      return { cmd, gpa: of('gpa'), value: big(json.value, 'host_write_gpa.value') };
    case 'set_nr_mmu_pages':
      return { cmd, n: of('n') };
    default:
      throw new Error(`unknown host command ${cmd}`);
  }
}

function slotSpec(json: Json, idKey: string): SlotSpec {
  const flags = number(json.flags ?? 0, 'slot flags');
  return {
    id: number(json[idKey], 'slot id'),
    gpa: number(json.gpa, 'slot gpa'),
    size: number(json.size, 'slot size'),
    readonly: (flags & 2) !== 0,
    logDirty: (flags & 1) !== 0,
    backing: backingSpec(string(json.backing, 'slot backing')),
  };
}

function backingSpec(text: string): BackingSpec {
  const shared = /^same-as-slot (\d+)\+(0x[0-9a-f]+)$/.exec(text);
  if (shared) return { kind: 'shared', slot: Number(shared[1]), offset: Number(shared[2]) };
  switch (text) {
    case 'anon4k':
      return { kind: 'anonymous', pageSize: 0x1000, populated: true, hugetlbfs: false };
    case 'anon4k-untouched':
      return { kind: 'anonymous', pageSize: 0x1000, populated: false, hugetlbfs: false };
    case 'thp':
    case 'hugetlb2m':
      return { kind: 'anonymous', pageSize: 0x20_0000, populated: true, hugetlbfs: text === 'hugetlb2m' };
    default:
      throw new Error(`unknown backing ${text}`);
  }
}
