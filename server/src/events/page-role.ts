/** Shadow pages as KVM's tracepoints show them: what is in the `role` of their events. */
import { Role, accessOf, accessText, levelOf, quadrantOf } from '../engine/mmu/pages/role';
import type { PageEventName } from '../engine/mmu/pages/shadow-page';
import type { EventOf } from './fields';

interface ShadowPage {
  readonly level: number;
  /** The guest's entries have 4 bytes. */
  readonly narrow: boolean;
  readonly quadrant: number;
  readonly direct: boolean;
  /** `wux`: role.access. */
  readonly access: string;
  readonly invalid: boolean;
  readonly nx: boolean;
  readonly adDisabled: boolean;
  readonly guestMode: boolean;
  readonly gen: number;
  readonly rootCount: number;
  readonly unsync: boolean;
}

/** An event about a shadow page. */
export type PageEvent = EventOf<'kvm_mmu_get_page' | PageEventName>;

/** The shadow page that an event is about, as it was then. */
export function shadowPageOf({ fields: { role, mmu_valid_gen, root_count, unsync } }: PageEvent): ShadowPage {
  return { ...decodeRole(role), gen: mmu_valid_gen, rootCount: root_count, unsync: unsync !== 0 };
}

export function decodeRole(role: number): Omit<ShadowPage, 'gen' | 'rootCount' | 'unsync'> {
  const has = (bit: Role): boolean => (role & bit) !== 0;
  return {
    level: levelOf(role),
    narrow: has(Role.narrow),
    quadrant: quadrantOf(role),
    direct: has(Role.direct),
    access: accessText(accessOf(role)),
    invalid: has(Role.invalid),
    nx: has(Role.eferNx),
    adDisabled: has(Role.adDisabled),
    guestMode: has(Role.guestMode),
  };
}

/** `level 1 · direct · wux`: what tells a page from others of its gfn. */
export function roleWords(page: Omit<ShadowPage, 'gen' | 'rootCount' | 'unsync'>): string[] {
  return [
    `level ${page.level}`,
    page.direct ? 'direct' : '',
    page.access,
    page.narrow ? `quadrant ${page.quadrant}` : '',
    page.guestMode ? 'guest mode' : '',
    page.invalid ? 'invalid' : '',
  ].filter(Boolean);
}
