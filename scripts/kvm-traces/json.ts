/** Values of a recorded scenario's JSON; each reader throws an Error that says what is not of the form. */

export type Json = Readonly<Record<string, unknown>>;

export function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what}: an object is expected`);
  return value as Json;
}

export function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${what}: a list is expected`);
  return value;
}

export function string(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what}: a text is expected`);
  return value;
}

export function big(value: unknown, what: string): bigint {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^(0x[0-9a-f]+|\d+)$/i.test(value)) return BigInt(value);
  throw new Error(`${what}: a number is expected`);
}

export function number(value: unknown, what: string): number {
  return Number(big(value, what));
}
