/**
 * What stands before an event: task, CPU, flags, time. Forms are those of the kernel (trace/trace_output.c: trace_print_context,
 * trace_print_lat_context), of `trace-cmd report` (tracecmd_print_event, tep_print_event) and of `perf script` (perf_sample__fprintf_start).
 */

export interface LineHead {
  readonly form: HeadForm;
  /** Name of the recording, where several are printed together. */
  readonly host: string | null;
  readonly comm: string;
  /** Of the thread. */
  readonly pid: number;
  /** Of its process, when it was recorded. */
  readonly tgid: number | null;
  readonly cpu: number | null;
  /** Nanoseconds, or ticks of a clock that counts; null: none was printed. */
  readonly time: number | null;
  readonly ticks: boolean;
  /** Empty: what follows is no event with a name, as the line of a function tracer. */
  readonly event: string;
  readonly said: string;
}

/** Who prints heads like this one; flags are what a kernel prints, and trace-cmd when it is asked to. */
export type HeadForm = 'ftrace' | 'trace-cmd' | 'perf';

/** Names of tasks have at most 15 characters, and can have any in them; names of kernel threads are longer. */
const COMM = '(.{1,64}?)';
const TIME = '(\\d+(?:\\.\\d+)?)';

/** `  CPU 0/KVM-1018505 (1018490) [025] d..1. 57120.030891: (+12) kvm_entry: vcpu 0` */
const TRACE = new RegExp(
  `^\\s*${COMM}-(\\d+)\\s+(?:\\(\\s*(\\d+|-+)\\)\\s+)?\\[(\\d+)\\]\\s+(?:(\\S{4,6})\\s+)?${TIME}:\\s+(?:\\(\\+\\S+\\)\\s+)?(.*)$`,
);

/** `  CPU 0/KVM 1018490/1018505 [025] 57120.030891:          1 kvm:kvm_entry: vcpu 0` */
const PERF = new RegExp(
  `^\\s*${COMM}\\s+(\\d+)(?:/(\\d+))?\\s+(?:\\[(\\d+)\\]\\s+)?(?:(?=\\S*[^\\d\\s])[\\w.]{4,6}\\s+)?(\\d+\\.\\d+):\\s+(?:\\d+\\s+)?(\\w+:\\w+:.*)$`,
);

/** `qemu-sys-8397    2d..1  123us+: kvm_entry: vcpu 0`: the latency format, also of a dump at an oops, with its own blanks. */
const LATENCY = new RegExp(`^\\s*${COMM}-(\\d+)\\s+(\\d+)([^\\s\\d]\\S{2,5})\\s+(?:${TIME}:|(\\d+)us[^\\s:]?\\s*:)\\s+(.*)$`);

const EVENT = /^(?:(\w+):)?(\w[\w-]*):(?:\s+(.*))?$/;

const HOST = /^\s*(\S+\.dat):\s+/;

/** The head of a line; null: it is none of an event. */
export function lineHead(line: string): LineHead | null {
  const named = line.includes('.dat:') ? HOST.exec(line) : null;
  const host = named ? named[1] : null;
  const rest = named ? line.slice(named[0].length) : line;
  return traceHead(rest, host) ?? perfHead(rest, host) ?? latencyHead(rest, host);
}

function traceHead(line: string, host: string | null): LineHead | null {
  const found = TRACE.exec(line);
  if (!found) return null;
  const [, comm, pid, tgid, cpu, flags, time, rest] = found;
  const form = flags === undefined ? 'trace-cmd' : 'ftrace';
  return { form, host, comm, pid: Number(pid), tgid: numberOf(tgid), cpu: Number(cpu), ...timeOf(time), ...eventOf(rest) };
}

function perfHead(line: string, host: string | null): LineHead | null {
  const found = PERF.exec(line);
  if (!found) return null;
  const [, comm, pid, tid, cpu, time, rest] = found;
  const process = tid === undefined ? null : Number(pid);
  return { form: 'perf', host, comm, pid: Number(tid ?? pid), tgid: process, cpu: numberOf(cpu), ...timeOf(time), ...eventOf(rest) };
}

function latencyHead(line: string, host: string | null): LineHead | null {
  const found = LATENCY.exec(line);
  if (!found) return null;
  const [, comm, pid, cpu, , time, microseconds, rest] = found;
  const when = time === undefined ? { time: Number(microseconds) * 1000, ticks: false } : timeOf(time);
  return { form: 'ftrace', host, comm, pid: Number(pid), tgid: null, cpu: Number(cpu), ...when, ...eventOf(rest) };
}

const numberOf = (digits: string | undefined): number | null => (digits === undefined || digits.startsWith('-') ? null : Number(digits));

function timeOf(text: string): { readonly time: number; readonly ticks: boolean } {
  const dot = text.indexOf('.');
  if (dot < 0) return { time: Number(text), ticks: true };
  const fraction = text.slice(dot + 1, dot + 10);
  return { time: Number(text.slice(0, dot)) * 1e9 + Number(fraction) * 10 ** (9 - fraction.length), ticks: false };
}

function eventOf(rest: string): { readonly event: string; readonly said: string } {
  const found = EVENT.exec(rest);
  return found ? { event: found[2], said: found[3] ?? '' } : { event: '', said: rest };
}

/** A head that a mailer has broken before its end: the next line goes on with it. */
const BROKEN = new RegExp(`^\\s*${COMM}-(\\d+)\\s+\\[(\\d+)\\](?:\\s+[^\\s:]{4,6})?(?:\\s+${TIME}:?)?\\s*$`);

export function isBrokenHead(line: string): boolean {
  return BROKEN.test(line);
}
