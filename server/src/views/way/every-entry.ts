/** All entries of a way, in the order in which they are read: what translates the address of one stands before it. */
import type { TableEntry, TableWalk, TranslationView } from '../../protocol/translation';

export interface EntryOf {
  readonly walk: TableWalk;
  readonly entry: TableEntry;
}

export function everyEntry({ walks }: TranslationView): EntryOf[] {
  return walks.flatMap((walk) => [...entriesOf(walk)]);
}

function* entriesOf(walk: TableWalk): Generator<EntryOf> {
  for (const entry of walk.entries) {
    if (entry.via) yield* entriesOf(entry.via);
    yield { walk, entry };
  }
  if (walk.then) yield* entriesOf(walk.then);
}
