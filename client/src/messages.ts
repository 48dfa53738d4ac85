/** Small words for people. */

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `1 run`, `2 runs`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
