/**
 * Where KVM itself does not follow the architecture (docs/model.md, "Where KVM itself falls short"), recognized where `same` meets one: by
 * the act at which a guest under shadow paging and one under EPT or NPT see different things, and by what stands in its registers.
 */
import { Actor, Kind } from '../engine/journal/events';
import { Space, SPACES } from '../engine/journal/spaces';
import { State } from '../engine/journal/state';
import type { Act } from '../engine/program';
import { Bank, Register } from '../engine/vcpu/registers';
import { eventAt, kindAt } from '../events/fields';
import type { RunRecord } from './record';
import type { Seen } from './seen';

/** What one kind's run has at the difference. */
interface Side {
  readonly record: RunRecord;
  readonly seen: Seen;
}

interface Met {
  readonly act: Act;
  readonly soft: Side;
  readonly hard: Side;
  /** Low words of the vCPU's registers before the act. */
  readonly cr0: number;
  readonly cr4: number;
  readonly efer: number;
}

interface Hole {
  /** Which of both does as the manuals say. */
  readonly follows: 'soft' | 'hard';
  is(met: Met): boolean;
}

const CR0_WP = 1 << 16;
const CR4_PSE = 1 << 4;
const CR4_SMAP = 1 << 21;
const EFER_NXE = 1 << 11;
const FRAME = 4096;

const faults = ({ seen }: Side): boolean => seen.text.startsWith('#PF');
const reaches = ({ seen }: Side): boolean => /^(ok|value)/.test(seen.text);
const flag = ({ seen }: Side, name: string): boolean => new RegExp(`^#PF\\([^)]*\\b${name}\\b`).test(seen.text);
const supervisor = (act: Act): boolean => act.do === 'access' && !act.user;

/** By the name that docs/model.md has for it. */
export const HOLES = {
  'implicit-smap': {
    follows: 'hard',
    is: ({ act, soft, hard, cr4 }) =>
      act.do === 'access' && act.implicit && (cr4 & CR4_SMAP) !== 0 && faults(hard) && soft.seen.text === 'error ELOOP',
  },
  'protection-keys': {
    follows: 'hard',
    is: ({ soft, hard }) => flag(hard, 'PK') && reaches(soft),
  },
  'nxe-cleared': {
    follows: 'hard',
    is: ({ soft, hard, efer }) => (efer & EFER_NXE) === 0 && flag(hard, 'RSVD') && reaches(soft),
  },
  'smap-without-wp': {
    follows: 'hard',
    is: ({ act, soft, hard, cr0, cr4 }) =>
      supervisor(act) && (cr0 & CR0_WP) === 0 && (cr4 & CR4_SMAP) !== 0 && flag(hard, 'P') && reaches(soft),
  },
  'table-in-read-only-slot': {
    follows: 'soft',
    is: ({ soft, hard }) => gpaOf(soft) !== null && gpaOf(soft) !== gpaOf(hard) && inReadOnlySlot(hard),
  },
  'mmio-after-sync': {
    follows: 'hard',
    is: ({ soft, hard }) => soft.seen.text.startsWith('mmio') && !hard.seen.text.startsWith('mmio') && slotMadeBefore(soft),
  },
  'table-written-by-vmm': {
    follows: 'hard',
    is: ({ soft }) => shadowedPageWritten(soft),
  },
  'pse-cleared': {
    follows: 'hard',
    is: ({ soft, hard, cr4 }) => (cr4 & CR4_PSE) === 0 && reaches(soft) && soft.seen.text !== hard.seen.text && pseWasSet(soft),
  },
} satisfies { readonly [name: string]: Hole };

type HoleName = keyof typeof HOLES;

/** The hole that two runs meet where they differ first; null: both are of a kind, or it is none that is known. */
export function holeMet(one: Side, other: Side): { readonly name: HoleName; readonly follows: Side } | null {
  const kinds = [one, other].map(({ record: { program }, seen: { act } }) => ('by' in act ? program.machine.vms[act.by.vm].mmu : null));
  if (kinds.filter((kind) => kind === 'soft').length !== 1) return null;
  const [soft, hard] = kinds[0] === 'soft' ? [one, other] : [other, one];
  const registers = registersAt(soft);
  const met: Met = { act: soft.seen.act, soft, hard, ...registers };
  for (const [name, hole] of Object.entries(HOLES) as [HoleName, Hole][])
    if (hole.is(met)) return { name, follows: hole.follows === 'soft' ? soft : hard };
  return null;
}

function registersAt({ record, seen: { act, outcome } }: Side): Pick<Met, 'cr0' | 'cr4' | 'efer'> {
  const { vms } = record.program.machine;
  const by = 'by' in act ? act.by : { vm: 0, vcpu: 0 };
  const vcpu = vms.slice(0, by.vm).reduce((sum, vm) => sum + vm.vcpus.length, by.vcpu);
  const words = new State(record).seek(outcome.from).space(Space.register);
  const low = (register: Register): number =>
    Number(words.get(SPACES[Space.register].key.encode({ vcpu, bank: Bank.own, register })) & 0xffff_ffffn) | 0;
  return { cr0: low(Register.cr0), cr4: low(Register.cr4), efer: low(Register.efer) };
}

/** The access came out in a read-only slot: as MMIO, or at the address of a table there. */
function inReadOnlySlot(side: Side): boolean {
  const { record, seen } = side;
  const gpa = gpaOf(side);
  if (gpa === null || seen.act.do !== 'access') return false;
  const { slots } = record.program.machine.vms[seen.act.by.vm];
  return slots.some((slot) => slot.readonly && gpa >= slot.gpa && gpa < slot.gpa + slot.size);
}

function gpaOf({ seen: { outcome } }: Side): number | null {
  const { result } = outcome;
  return result.kind === 'mmio' || result.kind === 'ok' ? result.gpa : null;
}

function slotMadeBefore({ record: { program }, seen: { outcome } }: Side): boolean {
  return program.acts.slice(0, outcome.act).some((act) => act.do === 'set-slot');
}

/** The VMM wrote, before the access, to a page that is shadowed. */
function shadowedPageWritten({ record, seen: { outcome } }: Side): boolean {
  const shadowed = new Set<number>();
  for (let row = 0; row < outcome.from; row++) {
    const kind = kindAt(record, row);
    if (kind !== Kind.kvm_mmu_get_page && kind !== Kind.vmm_write) continue;
    const event = eventAt(record, row)!;
    if (event.kind === Kind.kvm_mmu_get_page) shadowed.add(Number(event.fields.gfn));
    else if (event.kind === Kind.vmm_write && event.actor === Actor.user && row > record.setup)
      if (shadowed.has(Math.floor(Number(event.fields.gpa) / FRAME))) return true;
  }
  return false;
}

function pseWasSet({ record, seen: { act } }: Side): boolean {
  const by = 'by' in act ? act.by : null;
  const { vms } = record.program.machine;
  if (!by || vms[by.vm].vcpus[by.vcpu].paging !== '32-bit') return false;
  const vcpu = vms.slice(0, by.vm).reduce((sum, vm) => sum + vm.vcpus.length, by.vcpu);
  const key = SPACES[Space.register].key.encode({ vcpu, bank: Bank.own, register: Register.cr4 });
  return (new State(record).seek(record.setup).space(Space.register).get(key) & BigInt(CR4_PSE)) !== 0n;
}
