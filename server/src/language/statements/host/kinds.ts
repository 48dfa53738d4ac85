/** All acts of the host. */
import type { Act } from '../../../engine/program';
import { NO_WORDS } from '../../kind';
import type { Ends, HostActKind, ItemKind } from '../../kind';
import { HostActLowering } from '../../lower/host-acts';
import type { Frame, ScriptLowering } from '../../lower/script';
import { actEntry } from '../head';
import { clearDirtyLog } from './clear-dirty-log';
import type { ClearDirtyLog } from './clear-dirty-log';
import { collapse } from './collapse';
import type { Collapse } from './collapse';
import { create } from './create';
import type { Create } from './create';
import { deleteSlot } from './delete';
import type { Delete } from './delete';
import { flags } from './flags';
import type { Flags } from './flags';
import { getDirtyLog } from './get-dirty-log';
import type { GetDirtyLog } from './get-dirty-log';
import { move } from './move';
import type { Move } from './move';
import { nrMmuPages } from './nr-mmu-pages';
import type { NrMmuPages } from './nr-mmu-pages';
import { protect } from './protect';
import type { Protect } from './protect';
import { reclaim } from './reclaim';
import type { Reclaim } from './reclaim';
import { resize } from './resize';
import type { Resize } from './resize';
import { split } from './split';
import type { Split } from './split';
import { hostWrite } from './write';
import type { HostWrite } from './write';
import { zapAll } from './zap-all';
import type { ZapAll } from './zap-all';

export type HostAct =
  | Create
  | Delete
  | Move
  | Resize
  | Flags
  | GetDirtyLog
  | ClearDirtyLog
  | Reclaim
  | Protect
  | Split
  | Collapse
  | HostWrite
  | ZapAll
  | NrMmuPages;

export const HOST_ACT_KINDS: { readonly [A in HostAct['act']]: HostActKind<Extract<HostAct, { act: A }>> } = {
  create,
  delete: deleteSlot,
  move,
  resize,
  flags,
  'get-dirty-log': getDirtyLog,
  'clear-dirty-log': clearDirtyLog,
  reclaim,
  protect,
  split,
  collapse,
  write: hostWrite,
  'zap-all': zapAll,
  'nr-mmu-pages': nrMmuPages,
};

export function hostActKind<N extends HostAct>(node: N): HostActKind<N> {
  return HOST_ACT_KINDS[node.act] as unknown as HostActKind<N>;
}

export function lowerHostAct(script: ScriptLowering, node: HostAct, frame: Frame, out: Act[]): void {
  hostActKind(node).lower(new HostActLowering(script, node, frame, out), node);
}

export const HOST_ACT_ENDS: Ends = { called: 'an act of the host', outcomes: ['ok', 'error'] };

/** What they are to everything that does not tell them apart. */
export const hostAct: ItemKind<HostAct> = {
  words: NO_WORDS,
  numbered: 'always',
  line: 'statement',
  bind: (node, scope, binder) => hostActKind(node).bind(node, scope, binder),
  address: (node, part, tables) => hostActKind(node).address(node, part, tables),
  outline: actEntry,
};
