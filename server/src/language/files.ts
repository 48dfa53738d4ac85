/** Files that a scenario names: what those who have files hand over. */

/** Bytes of a file that a scenario names at most; whoever reads it says so of one that is larger. */
export const MOST_BYTES = 64 << 20;

/** A file that was not opened. Plain data, as it goes to workers. */
export interface NotOpened {
  /** Why, as what follows its name: `lies outside the workspace`. */
  readonly notOpened: string;
}

/** What a file holds; null when there is none, or it cannot be read. */
export type Found<T> = T | NotOpened | null;

export function isNotOpened<T extends string | Uint8Array>(found: Found<T>): found is NotOpened {
  return found !== null && typeof found === 'object' && 'notOpened' in found;
}

/** As the message of a problem. */
export const notOpenedText = ({ notOpened }: NotOpened): string => `this file is not opened: it ${notOpened}`;

/** What was found, where a file that was not opened counts as none. */
export function contentOf<T extends string | Uint8Array>(found: Found<T>): T | null {
  return found === null || isNotOpened(found) ? null : found;
}
