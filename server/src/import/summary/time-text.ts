/** Times as people read them. */

const UNITS: readonly (readonly [number, string])[] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
];

/** `3.2 µs`, `812 ns`, or `12 ticks` of a clock that counts. */
export function duration(length: number, ticks: boolean): string {
  if (ticks) return `${Math.round(length)} tick${Math.round(length) === 1 ? '' : 's'}`;
  for (const [size, name] of UNITS) if (length >= size) return `${digits(length / size)} ${name}`;
  return `${Math.round(length)} ns`;
}

/** A point in time as the trace has it: `1404.389366`. */
export function moment(time: number, ticks: boolean): string {
  if (ticks) return String(time);
  const seconds = Math.floor(time / 1e9);
  const rest = Math.round(time - seconds * 1e9);
  return `${seconds}.${String(Math.floor(rest / 1000)).padStart(6, '0')}`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `6,275,430` */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `74 %`, `< 1 %` */
export function share(part: number, whole: number): string {
  const percent = (100 * part) / Math.max(1, whole);
  return percent > 0 && percent < 1 ? '< 1 %' : `${Math.round(percent)} %`;
}
