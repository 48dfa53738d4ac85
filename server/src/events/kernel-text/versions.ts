/** Kernels that texts differ between. */
import type { FieldName, LeveledName, TracepointName } from '../../engine/journal/event-table';
import type { Text } from './text';

/**
 * A text and the kernels that print it. Bounds are releases whose headers were read (4.8, 5.2, 5.10, 6.1.192, 6.12.117), or that a change was
 * merged for; kernels older than 6.1 are read in traces, and no scenario follows them.
 */
export interface Version<N extends string> {
  /** First release that prints it so; absent: it always was so. */
  readonly since?: Release;
  /** First release that does not any more; absent: the newest does. */
  readonly until?: Release;
  readonly text: Text<N>;
}

/** The texts of events: they show fields that the events have. */
export type KernelTexts<N extends TracepointName> = {
  readonly [T in N]: readonly Version<FieldName<T> | (T extends LeveledName ? 'level' : never)>[];
};

/** Of Linux, as `6.1`. */
export type Release = `${number}.${number}`;

/** The text of a kernel; null: it has no such event. */
export function versionOf<N extends string>(versions: readonly Version<N>[], kernel: Release): Text<N> | null {
  const prints = ({ since, until }: Version<N>): boolean => (!since || !isBefore(kernel, since)) && (!until || isBefore(kernel, until));
  return versions.find(prints)?.text ?? null;
}

export function isBefore(release: Release, other: Release): boolean {
  return order(release) < order(other);
}

function order(release: Release): number {
  const [major, minor] = release.split('.').map(Number);
  return major * 1000 + minor;
}
