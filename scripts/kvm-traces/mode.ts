/** Modes in which guests were recorded: processor, kind of MMU virtualization, and which of KVM's page-table code. */
export const MODES = ['npt0', 'npt1-tdp1', 'npt1-tdp0', 'ept0', 'ept1-tdp1', 'ept1-tdp0', 'ept1-pml'] as const;
export type Mode = (typeof MODES)[number];

export function isMode(text: string): text is Mode {
  return (MODES as readonly string[]).includes(text);
}

/** Shadow paging. */
export function isSoft(mode: Mode): boolean {
  return mode === 'npt0' || mode === 'ept0';
}

export function isIntel(mode: Mode): boolean {
  return mode.startsWith('ept');
}

export function isEpt(mode: Mode): boolean {
  return mode.startsWith('ept1');
}

/** The TDP MMU, not the older direct one. */
export function hasTdpMmu(mode: Mode): boolean {
  return mode !== 'npt1-tdp0' && mode !== 'ept1-tdp0';
}

/** Page-modification logging, by the host and offered to guests. */
export function hasPml(mode: Mode): boolean {
  return mode === 'ept1-pml';
}
