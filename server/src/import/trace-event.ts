/** An event of a trace as it was read. */
import type { Values } from '../events/kernel-text/text';
import type { HeadForm } from './lines/line-head';

export interface TraceEvent {
  /** Where it begins: line from 1, offset in bytes. */
  readonly line: number;
  readonly offset: number;
  /** Lines that it takes: more than one where a mailer has wrapped it. */
  readonly lines: number;
  readonly form: HeadForm;
  /** Name of the recording, where several are printed together. */
  readonly host: string | null;
  readonly comm: string;
  /** Of the thread. */
  readonly pid: number;
  readonly tgid: number | null;
  readonly cpu: number | null;
  /** Nanoseconds, or ticks of a clock that counts. */
  readonly time: number | null;
  readonly ticks: boolean;
  readonly name: string;
  readonly said: string;
  /** What the text says, by the names of our fields; null: an event that says nothing of memory, or a text that nobody who is known prints. */
  readonly values: Values | null;
}

/** A number of an event; null: the text does not say it. */
export function numberIn({ values }: TraceEvent, name: string): number | null {
  const value = values?.[name];
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : null;
}

/** The same of 64 bits. */
export function wordIn({ values }: TraceEvent, name: string): bigint | null {
  const value = values?.[name];
  return typeof value === 'bigint' ? value : typeof value === 'number' ? BigInt(value) : null;
}
