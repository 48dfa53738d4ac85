/**
 * Tags of cached translations (§2.10, §3.10): linear and combined mappings carry VPID or ASID, PCID and, combined ones, the EP4TA;
 * guest-physical mappings the EP4TA. Each combination in use gets a small number, so that a TLB line holds it in ten
 * bits; the table of them is journalled too ({@link Space.tlbTag}).
 */
import type { Journal } from '../journal/journal';
import { Space, SPACES } from '../journal/spaces';
import { low, high } from '../bits';
import { TAG_MASK } from './tlb-array';

/** In the VPID or ASID of accesses without a linear address: what is cached for them serves no linear address. */
export const UNMAPPED_TAG = 0x8000;
/** A tag that no line ever has. */
export const NO_TAG = TAG_MASK;
/** Fields of a tag. */
export enum TagField {
  /** low half: bits 15:0 VPID or ASID, 27:16 PCID, 28 global, 29 guest-physical, 30 in use; high half: 0 */
  space = 0,
  /** EP4TA (frame number of the second stage's root) + 1; 0 when there is no second stage */
  root = 1,
}

export interface Tag {
  /** VPID or ASID; 0 in guest-physical mappings of Intel, which carry none. */
  readonly vpid: number;
  readonly pcid: number;
  /** Frame number of the second stage's root; -1: none. */
  readonly root: number;
  /** Pages that every PCID of the VPID shares. */
  readonly global: boolean;
  readonly guestPhysical: boolean;
}

export class Tags {
  private readonly numbers = new Map<string, number>();
  private tags: Tag[] = [];

  constructor(
    private readonly journal: Journal,
    private readonly processor: number,
  ) {}

  /** Number of a tag, 1 to 1022; 0 when no number is left, and {@link clear} is due. */
  number(tag: Tag): number {
    const name = nameOf(tag);
    let number = this.numbers.get(name);
    if (number === undefined) {
      if (this.tags.length === NO_TAG - 1) return 0;
      this.tags.push(tag);
      number = this.tags.length;
      this.numbers.set(name, number);
      this.note(number, tag);
    }
    return number;
  }

  /** Numbers in use are 1 to this. */
  get count(): number {
    return this.tags.length;
  }

  /** The tag of a number in use. */
  of(number: number): Tag {
    return this.tags[number - 1];
  }

  /** A tag that a state has, under the next number. */
  restore(tag: Tag): void {
    this.tags.push(tag);
    this.numbers.set(nameOf(tag), this.tags.length);
  }

  /** Forget all; no line may be in use. */
  clear(): void {
    this.tags.forEach((tag, i) => this.note(i + 1, tag));
    this.tags = [];
    this.numbers.clear();
  }

  private note(number: number, tag: Tag): void {
    const space =
      (tag.vpid & 0xffff) | ((tag.pcid & 0xfff) << 16) | (tag.global ? 1 << 28 : 0) | (tag.guestPhysical ? 1 << 29 : 0) | (1 << 30);
    this.change(number, TagField.space, space, 0);
    if (tag.root >= 0) this.change(number, TagField.root, low(tag.root + 1), high(tag.root + 1));
  }

  private change(number: number, field: TagField, lo: number, hi: number): void {
    this.journal.change(Space.tlbTag, SPACES[Space.tlbTag].key.encode({ processor: this.processor, tag: number, field }), lo, hi);
  }
}

function nameOf({ vpid, pcid, root, global, guestPhysical }: Tag): string {
  return `${vpid} ${pcid} ${root} ${global ? 'g' : ''}${guestPhysical ? 'p' : ''}`;
}

/** Decode a tag's journalled values; null when the number is not in use. */
export function decodeTag(spaceLo: number, rootLo: number, rootHi: number): Tag | null {
  if ((spaceLo & (1 << 30)) === 0) return null;
  return {
    vpid: spaceLo & 0xffff,
    pcid: (spaceLo >>> 16) & 0xfff,
    root: (rootHi >>> 0) * 0x1_0000_0000 + (rootLo >>> 0) - 1,
    global: (spaceLo & (1 << 28)) !== 0,
    guestPhysical: (spaceLo & (1 << 29)) !== 0,
  };
}
