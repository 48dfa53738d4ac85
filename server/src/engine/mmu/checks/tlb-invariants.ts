/**
 * Invariants of cached translations (§9: L2, L5). Whatever the guest does to its tables, hardware may hold no more than the
 * tables that the hypervisor handed to it say: what it takes away there, it flushes.
 */
import { join } from '../../bits';
import { RIGHTS_MASK, TAG_MASK, type TlbArray } from '../../vcpu/tlb-array';
import { FRAME_HIGH, FRAME_LOW } from '../../x86/entries';
import { Rights } from '../../x86/permissions';
import type { Hypervisor } from '../vmm/hypervisor';
import type { Kvm } from '../pages/kvm';
import { framesAt } from '../pages/shadow-page';
import type { LeafSeen } from './table-survey';

export function brokenTlb({ kvm, vcpus }: Hypervisor, leaves: readonly LeafSeen[], broken: string[]): void {
  let known: Known | null = null;
  for (const { processor, inGuest, tlbOn, contexts } of vcpus) {
    // Outside the guest a flush may still be due; it comes before the guest is entered.
    if (processor.tlb === undefined || !tlbOn || !inGuest) continue;
    known ??= mappedFrames(kvm, leaves);
    const { tlb } = processor;
    // What is cached of a root that is gone is out of reach, and flushed when a root comes to lie there (mmu.c: kvm_mmu_load).
    const roots = new Set(contexts.flatMap(({ roots: { current, previous } }) => [current, ...previous].map(({ hpa }) => hpa / 4096)));
    const inReach = (tag: number): boolean => {
      const { root } = tlb.tags.of(tag);
      return root < 0 || roots.has(root);
    };
    // Of which stage W is: a linear mapping's is that of both stages together, a guest-physical one's of its own format.
    const linear = kvm.tdp ? Rights.hostWrite : Rights.write;
    const physical = kvm.format.ept ? Rights.hostWrite : Rights.write;
    for (const array of [tlb.l1, tlb.l1Page2M, tlb.l1Page1G, tlb.l2]) brokenLines(array, linear, inReach, known, broken);
    if (tlb.guestPhysical !== null) brokenLines(tlb.guestPhysical.array, physical, inReach, known, broken);
  }
}

/** What leaves grant, by the first host frame that they map and level. */
interface Known {
  readonly read: ReadonlySet<string>;
  readonly write: ReadonlySet<string>;
  readonly dirty: ReadonlySet<string>;
}

function mappedFrames(kvm: Kvm, leaves: readonly LeafSeen[]): Known {
  const { format } = kvm;
  const known = { read: new Set<string>(), write: new Set<string>(), dirty: new Set<string>() };
  for (const { lo, hi, level, mmio } of leaves) {
    if (mmio) continue;
    const name = `${format.pfn(lo, hi)} ${level}`;
    if (format.readable(lo) || format.executable(lo, hi)) known.read.add(name);
    if (!format.writable(lo)) continue;
    known.write.add(name);
    if (!format.accessedDirty || format.dirtyFlag(lo)) known.dirty.add(name);
  }
  return known;
}

function brokenLines(array: TlbArray, write: Rights, inReach: (tag: number) => boolean, known: Known, broken: string[]): void {
  for (let line = 0; line < array.lines; line++) {
    const key = array.key(line);
    if ((key & TAG_MASK) === 0 || !inReach(key & TAG_MASK)) continue;
    const frame = join(array.frame(line) & FRAME_LOW, array.frameHi(line) & FRAME_HIGH) / 4096;
    const frames = framesAt(((key >>> 10) & 3) + 1);
    const rights = array.frame(line) & RIGHTS_MASK;
    const within = (leaves: ReadonlySet<string>): boolean =>
      [1, 2, 3].some((level) => framesAt(level) >= frames && leaves.has(`${frame - (frame % framesAt(level))} ${level}`));
    const where = `frame ${frame.toString(16)}`;
    const writable = (rights & write) !== 0;
    if (!within(known.read)) broken.push(`L5: the TLB still leads to ${where}, which no table maps`);
    else if (writable && !within(known.write)) broken.push(`L5: by the TLB ${where} can be written, by no table any more`);
    else if (writable && (rights & Rights.dirty) !== 0 && !within(known.dirty))
      broken.push(`L3: the TLB holds ${where} as dirty, no table does`);
  }
}
