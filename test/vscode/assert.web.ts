/** What the suites use of node:assert/strict, for the host that has no Node. */

export function ok(value: unknown, message = 'not true'): void {
  if (!value) throw new Error(message);
}

export function equal(actual: unknown, expected: unknown, message?: string): void {
  if (!Object.is(actual, expected)) throw new Error(message ?? `${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
}

export function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  equal(JSON.stringify(actual), JSON.stringify(expected), message);
}
