/** Cached translations of a point of a run, read back from the journal. */
import { Space, SPACES } from '../engine/journal/spaces';
import { decodeTag, TagField } from '../engine/vcpu/tags';
import type { Tag } from '../engine/vcpu/tags';
import { FIRST_LINE } from '../engine/vcpu/tlb';
import { CLASS_SHIFTS, decodeLine, LineField } from '../engine/vcpu/tlb-array';
import type { TlbLine } from '../engine/vcpu/tlb-array';
import { pcidOf } from '../engine/vcpu/control-registers';
import { Register } from '../engine/vcpu/registers';
import type { Registers } from '../engine/vcpu/registers';
import { Rights } from '../engine/x86/permissions';
import type { MachineState } from './machine-state';
import { bytes, hex } from '../events/wording';

const LINE = SPACES[Space.tlb].key;

interface Cached {
  readonly structure: 'L1' | 'L2';
  readonly line: TlbLine;
  /** Bytes of the page that the line maps. */
  readonly size: number;
  /** Host-physical address that the line gives for the address asked for. */
  readonly hpa: number;
}

/** Lines that serve a linear address under the tags in force, of L1 before L2. */
export function cachedLines(state: MachineState, processor: number, registers: Registers, address: bigint): Cached[] {
  const words = state.words(Space.tlb);
  const found: Cached[] = [];
  for (const key of words.keys()) {
    const at = LINE.decode(key);
    if (at.processor !== processor || at.field !== (LineField.key as number) || at.line >= FIRST_LINE.guestPhysical) continue;
    const value = LINE.with(key, 'field', LineField.value);
    const line = decodeLine(words.lo(key), words.hi(key), words.lo(value), words.hi(value));
    if (!line) continue;
    const shift = BigInt(CLASS_SHIFTS[line.pageClass]);
    if (address >> shift !== line.page >> shift) continue;
    const tag = tagOf(state, processor, line);
    if (!tag || !inForce(tag, registers)) continue;
    const offset = Number(address & ((1n << shift) - 1n));
    found.push({ structure: at.line < FIRST_LINE.l2 ? 'L1' : 'L2', line, size: 2 ** Number(shift), hpa: line.frame + offset });
  }
  return found.sort((a, b) => (a.structure < b.structure ? -1 : 1));
}

/** What a line is tagged with; null: its tag is in use no more. */
export function tagOf(state: MachineState, processor: number, { tag }: TlbLine): Tag | null {
  const words = state.words(Space.tlbTag);
  const [space, root] = [TagField.space, TagField.root].map((field) => SPACES[Space.tlbTag].key.encode({ processor, tag, field }));
  return decodeTag(words.lo(space), words.lo(root), words.hi(root));
}

/** A line with this tag serves linear addresses under these registers. */
function inForce(tag: Tag, registers: Registers): boolean {
  const eptp = registers.value(Register.secondRoot);
  const root = eptp === 0n ? -1 : Number((eptp >> 12n) & 0xff_ffff_ffffn);
  return (
    !tag.guestPhysical &&
    tag.root === root &&
    tag.vpid === (registers.lo(Register.vpid) & 0xffff) &&
    (tag.global || tag.pcid === pcidOf(registers))
  );
}

/** `TLB L1: page of 4K, user rw-, dirty → hpa 0x5123`. */
export function cachedText({ structure, line, size, hpa }: Cached): string {
  return `TLB ${structure}: page of ${bytes(size)}, ${rightsOfLine(line)} → hpa ${hex(hpa)}`;
}

/** `user rw-, dirty`: of a line for linear addresses. */
export function rightsOfLine({ rights, global }: TlbLine): string {
  const has = (right: Rights): boolean => (rights & right) !== 0;
  const letters = `r${has(Rights.write) && has(Rights.hostWrite) ? 'w' : '-'}${!has(Rights.noExecute) && has(Rights.hostExecute) ? 'x' : '-'}`;
  const flags = [has(Rights.dirty) ? 'dirty' : '', global ? 'global' : ''].filter(Boolean).map((each) => `, ${each}`);
  return `${has(Rights.user) ? 'user' : 'supervisor'} ${letters}${flags.join('')}`;
}

/** First key of the line that a key is a part of. */
export function lineThing(key: number): number {
  return LINE.with(key, 'field', 0);
}

/** Which structure a line is of, and the address that it caches; null when it is empty. */
export function lineOf(machine: MachineState, thing: number): { readonly what: string } | null {
  const line = decoded(machine, thing);
  return line && { what: `${structureName(LINE.field(thing, 'line'))} ${hex(line.page)}` };
}

export function lineText(machine: MachineState, thing: number): string | null {
  const line = decoded(machine, thing);
  return line && `hpa ${hex(line.frame)}`;
}

function structureName(line: number): string {
  if (line < FIRST_LINE.l2) return 'L1';
  if (line < FIRST_LINE.guestPhysical) return 'L2';
  if (line < FIRST_LINE.pagingStructure) return 'guest-physical';
  return line < FIRST_LINE.secondStructure ? 'paging-structure cache' : 'second-stage structure cache';
}

function decoded(machine: MachineState, thing: number): TlbLine | null {
  const words = machine.words(Space.tlb);
  const value = LINE.with(thing, 'field', LineField.value);
  return decodeLine(words.lo(thing), words.hi(thing), words.lo(value), words.hi(value));
}
