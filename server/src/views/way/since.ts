/** A way after a step beside the one before it: entries that are others by now say what they were. */
import type { TableEntry, TableWalk, TranslationView } from '../../protocol/translation';

export function since(before: TranslationView, after: TranslationView): TranslationView {
  return { ...after, walks: after.walks.map((walk) => walkSince(before.walks.find(({ table }) => table === walk.table) ?? null, walk)) };
}

function walkSince(before: TableWalk | null, after: TableWalk): TableWalk {
  const then = after.then && walkSince(before?.then ?? null, after.then);
  return { ...after, then, entries: after.entries.map((entry) => entrySince(before, entry)) };
}

function entrySince(before: TableWalk | null, after: TableEntry): TableEntry {
  const old = before?.entries.find(({ level }) => level === after.level) ?? null;
  const via = after.via && walkSince(old?.via ?? null, after.via);
  // Another table's entry, or none, was there: the old way ended above, where an entry has changed.
  const was = old?.at === after.at && old.value !== after.value ? old.value : null;
  return { ...after, via, was };
}
