/** Building the root of an MMU context (§5.4, §5.9; mmu.c: mmu_alloc_direct_roots, mmu_alloc_shadow_roots). */
import { Pte } from '../../x86/entries';
import type { Kvm } from '../pages/kvm';
import { getShadowPage } from '../pages/get-page';
import type { MmuContext } from './mmu-context';
import { Role, levelOf, withLevel, withQuadrant } from '../pages/role';
import type { Root } from './roots';
import type { ShadowPage } from '../pages/shadow-page';
import type { Spte } from '../pages/spte';
import { makePagesAvailable } from '../pages/page-quota';

const PAE_ROOT_LEVEL = 3;
const GIGABYTE_FRAMES = 0x4_0000;
/** A PDPTE that is not present. */
const NO_ENTRY: Spte = { lo: 0, hi: 0 };

/**
 * @returns null: no frame is left for it; 'outside': the guest's root, or a directory that a PDPTE names, is in no slot, and the guest
 *   cannot go on (mmu_check_root)
 */
export function loadRoot(kvm: Kvm, mmu: MmuContext, pgdLo: number, pgdHi: number): Root | 'outside' | null {
  const { rootRole, direct } = mmu;
  if (direct && kvm.tdpMmu !== null && kvm.tdp) {
    const page = kvm.tdpMmu.rootFor(rootRole);
    return page === null ? null : rootOf(kvm, page, 0, 0);
  }
  const gfn = Math.floor(((pgdHi & 0xfffff) * 0x1_0000_0000 + (pgdLo >>> 0)) / 4096);
  if (!direct && !kvm.guest.slots.visible(gfn)) return kvm.rules.rootOutsideIsDummy ? dummy(kvm, mmu, pgdLo, pgdHi) : 'outside';
  if (!makePagesAvailable(kvm)) return null;
  if (levelOf(rootRole) > PAE_ROOT_LEVEL) {
    const page = getShadowPage(kvm, direct ? 0 : gfn, rootRole, mmu.sync);
    return page === null ? null : rootOf(kvm, page, direct ? 0 : pgdLo, direct ? 0 : pgdHi);
  }
  return loadPae(kvm, mmu, gfn, pgdLo, pgdHi);
}

/** Four pages of level 2, for a gigabyte each: 32-bit and PAE guests, and guests without paging. */
function loadPae(kvm: Kvm, mmu: MmuContext, gfn: number, pgdLo: number, pgdHi: number): Root | 'outside' | null {
  if (directoryOutside(kvm, mmu) && !kvm.rules.rootOutsideIsDummy) return 'outside';
  const frame = paeFrame(kvm, mmu);
  if (frame < 0) return null;
  const { walker, direct, rootRole } = mmu;
  const pdptes = walker.pdptes;
  const pae = !direct && (rootRole & Role.narrow) === 0;
  const pages: (ShadowPage | null)[] = [];
  for (let i = 0; i < 4; i++) {
    let table = direct ? i * GIGABYTE_FRAMES : gfn;
    if (pae) {
      // A directory in no slot faults at every access, as the walk finds.
      if (pdptes === null || (pdptes[i * 2] & Pte.present) === 0 || !kvm.guest.slots.visible(directoryOf(pdptes, i))) {
        pages.push(null);
        continue;
      }
      table = directoryOf(pdptes, i);
    }
    const role = withQuadrant(withLevel(rootRole, 2), (rootRole & Role.narrow) !== 0 ? i : 0);
    const page = getShadowPage(kvm, table, role, mmu.sync);
    if (page === null) return null;
    pages.push(page);
  }
  const root: Root = { hpa: frame * 4096, pgdLo, pgdHi, page: null, level: PAE_ROOT_LEVEL, pae: pages.filter((page) => page !== null) };
  note(kvm, root);
  for (const page of pages) if (page !== null) page.rootCount++;
  pages.forEach((page, i) => {
    const spte = page === null ? NO_ENTRY : { lo: (page.frame << 12) | Pte.present, hi: Math.floor(page.frame / 0x10_0000) };
    kvm.setSpte(root.hpa + i * 8, spte);
  });
  return root;
}

/** A PDPTE that is present names a directory in no slot. */
function directoryOutside(kvm: Kvm, { walker, direct, rootRole }: MmuContext): boolean {
  const { pdptes } = walker;
  if (direct || (rootRole & Role.narrow) !== 0 || pdptes === null) return false;
  return [0, 1, 2, 3].some((i) => (pdptes[i * 2] & Pte.present) !== 0 && !kvm.guest.slots.visible(directoryOf(pdptes, i)));
}

/** Guest frame that a PDPTE names. */
function directoryOf(pdptes: Int32Array, i: number): number {
  return Math.floor(((pdptes[i * 2 + 1] & 0xfffff) * 0x1_0000_0000 + (pdptes[i * 2] >>> 0)) / 4096);
}

/** The guest's root is in no slot: the zero page is its root, by which every access faults (kvm_mmu_get_dummy_root). */
function dummy(kvm: Kvm, mmu: MmuContext, pgdLo: number, pgdHi: number): Root {
  const root: Root = { hpa: kvm.zeroPage * 4096, pgdLo, pgdHi, page: null, level: levelOf(mmu.rootRole), pae: null };
  note(kvm, root);
  return root;
}

function paeFrame(kvm: Kvm, mmu: MmuContext): number {
  if (mmu.paeFrame < 0) mmu.paeFrame = kvm.frames.allocate(1, 1, 0);
  return mmu.paeFrame;
}

function rootOf(kvm: Kvm, page: ShadowPage, pgdLo: number, pgdHi: number): Root {
  const root: Root = { hpa: page.address, pgdLo, pgdHi, page, level: page.level, pae: null };
  note(kvm, root);
  page.rootCount++;
  return root;
}

function note({ trace }: Kvm, { hpa, level, pgdLo, pgdHi }: Root): void {
  trace.emit('kvm_load_root', { root: hpa, pgd: { lo: pgdLo, hi: pgdHi }, level });
}
