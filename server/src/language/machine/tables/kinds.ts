/** All items of tables. */
import type { TablesItemKind } from '../../kind';
import { tablesLoop } from '../../statements/for';
import type { For } from '../../statements/for';
import type { ErrorNode } from '../../syntax/tree';
import { constant } from '../const';
import type { Const } from '../const';
import { mapping } from './mapping';
import type { Mapping } from './mapping';
import { placement } from './placement';
import type { Placement } from './placement';
import { rawEntry } from './raw-entry';
import type { RawEntry } from './raw-entry';
import { share } from './share';
import type { Share } from './share';
import { upper } from './upper';
import type { Upper } from './upper';

export type TablesItem = KnownTablesItem | ErrorNode;
type KnownTablesItem = Mapping | RawEntry | Upper | Placement | Share | Const | For;

export const TABLES_ITEM_KINDS: { readonly [K in KnownTablesItem['kind']]: TablesItemKind<Extract<KnownTablesItem, { kind: K }>> } = {
  mapping,
  'raw-entry': rawEntry,
  upper,
  placement,
  share,
  const: constant,
  for: tablesLoop,
};

export function tablesItemKind<N extends KnownTablesItem>(node: N): TablesItemKind<N> {
  return TABLES_ITEM_KINDS[node.kind] as unknown as TablesItemKind<N>;
}
