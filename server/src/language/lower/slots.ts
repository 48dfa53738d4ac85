/** Memory slots as they are written, and what KVM would say of them: the engine's own rules, asked before the run. */
import { Journal } from '../../engine/journal/journal';
import { MEM_LOG_DIRTY_PAGES, MEM_READONLY, Slots } from '../../engine/memory/slots';
import type { Failure, Region, Slot as EngineSlot, SlotChange } from '../../engine/memory/slots';
import type { MmuKind, SlotConfig } from '../../engine/program';
import type { Expression, Slot } from '../syntax/tree';
import { showSize } from '../semantics/values';
import type { Env } from '../semantics/values';
import type { Context } from './context';

const M = 2 ** 20;
const FIRST_HVA = 0x7f00_0000_0000;
/** Largest block that slots without `hva` are congruent to, so that large pages are not lost. */
const HVA_UNIT = 2 * M;

export interface SlotPlan {
  readonly node: Slot;
  readonly env: Env;
  readonly config: Omit<SlotConfig, 'origin'>;
}

/** Where the memory of slots lies that do not say it. */
export interface SlotPlacer {
  /** Addresses from `hva` on are in use. */
  claim(hva: number, size: number): void;
  /** Null: there is no room. */
  allocate(gpa: number, size: number): number | null;
}

/** User addresses of a VMM on the host: upwards, each congruent to its GPA. */
export class HvaAllocator implements SlotPlacer {
  private next = FIRST_HVA;

  claim(hva: number, size: number): void {
    if (hva + size > this.next && hva < FIRST_HVA + 2 ** 44) this.next = hva + size;
  }

  allocate(gpa: number, size: number): number {
    const start = Math.ceil(this.next / HVA_UNIT) * HVA_UNIT + (gpa % HVA_UNIT);
    this.next = start + size;
    return start;
  }
}

/** A slot whose memory may still have no place. */
export interface SlotDraft {
  readonly node: Slot;
  readonly env: Env;
  readonly config: Omit<SlotConfig, 'origin' | 'hva'> & { readonly hva: number | null };
}

/** Gives each slot its place; those without one, where there is no room, are reported and left out. */
export function placeSlots(context: Context, drafts: readonly SlotDraft[], placer: SlotPlacer): SlotPlan[] {
  return drafts.flatMap(({ node, env, config }) => {
    const hva = config.hva ?? placer.allocate(config.gpa, config.size);
    if (hva === null) {
      context.report(
        env,
        node.id,
        'no-room-for-slot',
        `there is no room for ${showSize(BigInt(config.size))} in the memory of the VM around: give it an hva`,
      );
      return [];
    }
    placer.claim(hva, config.size);
    return [{ node, env, config: { ...config, hva } }];
  });
}

/** What a setting of a slot is set to; null: it is not written. */
export function settingOf(node: Slot, name: string): Expression | null {
  for (const item of node.body?.items ?? []) if (item.kind === 'setting' && item.name.text === name) return item.value;
  return null;
}

export function regionOf(config: Omit<SlotConfig, 'origin'>): Region {
  const { id, gpa, size, hva, addressSpace = 0 } = config;
  const flags = (config.logDirty ? MEM_LOG_DIRTY_PAGES : 0) | (config.readonly ? MEM_READONLY : 0);
  return { slot: addressSpace * 0x1_0000 + id, flags, gpa, size, hva };
}

/** The slots of a VM as the script goes on, by the rules of the engine. */
export class SlotTracker {
  private readonly slots: Slots;

  constructor(mmu: MmuKind, maxPhyAddr: number) {
    const journal = new Journal(1);
    journal.on = false;
    const nothing = (): void => {};
    const maxGfn = 2 ** ((mmu === 'soft' ? 52 : maxPhyAddr) - 12) - 1;
    this.slots = new Slots(
      journal,
      0,
      { maxGfn, dirtyLogInitiallySet: false },
      { generationChanged: nothing, flushShadow: nothing, commit: nothing },
    );
  }

  set(region: Region): SlotChange | Failure {
    return this.slots.set(region);
  }

  byId(id: number): EngineSlot | null {
    return this.slots.byNumber(id);
  }

  logging(id: number): EngineSlot | Failure {
    return this.slots.logging(id);
  }

  /** The slot behind a guest-physical address; null: MMIO. */
  at(gpa: number): EngineSlot | null {
    return this.slots.find(Math.floor(gpa / 4096));
  }

  all(): readonly EngineSlot[] {
    return this.slots.all();
  }
}
