/** What the recorded VMM knows of its slots: where in its virtual memory each one lies, also after it was deleted. */
import type { SlotConfig } from '../../server/src/engine/program';
import type { SlotSpec } from './scenario';

const FIRST = 0x7f00_0000_0000;
/** Mappings lie this far apart, so that none continues another. */
const STEP = 0x1_0000_0000;
/** Guest-physical and virtual addresses agree modulo this. */
const CONGRUENT = 0x4000_0000;

export class VmmMemory {
  private readonly slots = new Map<number, SlotConfig>();
  private readonly live = new Set<number>();
  private mappings = 0;

  /** A slot that is to be made, with its place in the VMM's memory. */
  config(spec: SlotSpec): SlotConfig {
    const { id, gpa, size, readonly, logDirty, backing } = spec;
    const place =
      backing.kind === 'shared'
        ? { hva: this.hva(backing.slot, backing.offset), backing: this.slot(backing.slot).backing }
        : {
            hva: FIRST + this.mappings++ * STEP + (gpa % CONGRUENT),
            backing: { pageSize: backing.pageSize, populated: backing.populated, hugetlbfs: backing.hugetlbfs },
          };
    const config: SlotConfig = { id, gpa, size, readonly, logDirty, ...place, origin: 0 };
    this.slots.set(id, config);
    this.live.add(id);
    return config;
  }

  /** A slot of this number is there. */
  has(id: number): boolean {
    return this.live.has(id);
  }

  /** Its memory stays known: another slot may be given it. */
  deleted(id: number): void {
    this.live.delete(id);
  }

  moved(id: number, gpa: number): void {
    this.slots.set(id, { ...this.slot(id), gpa });
  }

  slot(id: number): SlotConfig {
    const slot = this.slots.get(id);
    if (!slot) throw new Error(`there never was a slot ${id}`);
    return slot;
  }

  hva(id: number, offset: number): number {
    return this.slot(id).hva + offset;
  }
}
