/** Long work in steps, between which other work can be done. */

/** What steps come to, done in one go. */
export function drained<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
