/** Which access is under way at a row of a run: whose, at which address, and what it asks for. */
import {
  ACCESS_FETCH,
  ACCESS_IMPLICIT,
  ACCESS_READ,
  ACCESS_USER,
  ACCESS_WHAT,
  ACCESS_WRITE,
  Actor,
  Kind,
} from '../../engine/journal/events';
import type { AccessAct, AccessKind, Act, Performer, Program } from '../../engine/program';
import { RFLAGS_AC } from '../../engine/vcpu/control-registers';
import { Register } from '../../engine/vcpu/registers';
import { Access } from '../../engine/x86/permissions';
import { eventAt, kindAt } from '../../events/fields';
import type { Event, EventOf } from '../../events/fields';
import type { MachineState } from '../machine-state';
import type { RunView } from '../view';

export interface UnderWay extends Performer {
  /** Row at which it begins. */
  readonly row: number;
  readonly space: 'gva' | 'gpa';
  readonly address: bigint;
  /** ACCESS_* and `Access` bits; of a read-modify-write those of its write. */
  readonly access: number;
  readonly rmw: boolean;
  /** Bytes. */
  readonly size: number;
}

type Beginning = EventOf<'access' | 'physical_access'>;
/** `access` of a read-modify-write in rows. */
const RMW = 3;

/**
 * The access that the guest makes at a row: the last one begun of the guest that runs there, or has just left.
 *
 * @param head row of the statement
 */
export function accessUnderWay(view: RunView, row: number, head: number): UnderWay | null {
  const { record } = view;
  const statement = eventAt(record, head);
  const act = statement?.kind === Kind.statement ? record.program.acts[Number(statement.fields.act)] : undefined;
  if (!act || !('by' in act)) return null;
  const begun = beginningAt(view, row, head);
  return begun && asUnderWay(view.machine(begun.row), record.program, begun, act);
}

function beginningAt({ record }: RunView, row: number, head: number): Beginning | null {
  let wanted: Actor | null = null;
  let last: Beginning | null = null;
  for (let at = row; at >= head; at--) {
    const kind = kindAt(record, at);
    if (wanted === null && (kind === Kind.kvm_entry || kind === Kind.kvm_exit)) {
      const { actor, fields } = eventAt(record, at) as EventOf<'kvm_entry' | 'kvm_exit'>;
      if (actor === Actor.L0) wanted = fields.guest_mode !== 0 ? Actor.L2 : Actor.L1;
    }
    if (kind !== Kind.access && kind !== Kind.physical_access) continue;
    const begun = eventAt(record, at) as Beginning;
    last ??= begun;
    if (wanted === null || begun.actor === wanted) return begun;
  }
  return last;
}

function asUnderWay(state: MachineState, program: Program, begun: Beginning, act: Act): UnderWay {
  const { row, fields } = begun;
  const { access } = fields;
  const size = Number(fields.size);
  const rmw = (access & ACCESS_WHAT) === RMW;
  const bits = rmw ? (access & ~ACCESS_WHAT) | ACCESS_WRITE : access;
  const by = performerOf(begun, program, (act as { readonly by: Performer }).by);
  if (begun.kind === Kind.physical_access) return { row, ...by, space: 'gpa', address: begun.fields.gpa, access: bits, rmw, size };
  const { address } = begun.fields;
  const own = accessesOf(act).find((each) => fits(each, access, address));
  const performer = own?.by ?? by;
  // What a kernel does by guest-physical address is not kept from user pages.
  const ac = own === undefined || (own.ac ?? (state.registers(performer.vm, performer.vcpu).lo(Register.rflags) & RFLAGS_AC) !== 0);
  return { row, ...performer, space: 'gva', address, access: bits | (ac ? Access.ac : 0), rmw, size };
}

/** An access act, and those of its handler. */
function accessesOf(act: Act): AccessAct[] {
  if (act.do !== 'access') return [];
  return [act, ...(act.handler ?? []).flatMap(accessesOf)];
}

const WHAT: { readonly [access in AccessKind]: number } = { read: ACCESS_READ, write: ACCESS_WRITE, fetch: ACCESS_FETCH, rmw: RMW };

function fits(act: AccessAct, access: number, address: bigint): boolean {
  const bits = WHAT[act.access] | (act.user ? ACCESS_USER : 0) | (act.implicit ? ACCESS_IMPLICIT : 0);
  if (bits !== access) return false;
  if (act.stride === 0n || act.count <= 1) return BigInt.asUintN(64, act.address) === address;
  const distance = BigInt.asIntN(64, address - act.address);
  return distance % act.stride === 0n && distance / act.stride >= 0n && distance / act.stride < BigInt(act.count);
}

/** Who accesses: in an act of L2, L1's hypervisor can be at work on its own memory. */
function performerOf(event: Event, { machine: { vms } }: Program, by: Performer): Performer {
  const { parent } = vms[by.vm];
  if (event.actor !== Actor.L1 || parent === null) return by;
  return { vm: parent, vcpu: by.vcpu % vms[parent].vcpus.length };
}
