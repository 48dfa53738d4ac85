/**
 * Events as the kernel's trace prints them, and back: one table of texts by kernel (mmu-semantics.md §8.1; TP_printk of
 * arch/x86/kvm/trace.h, mmu/mmutrace.h and include/trace/events/kvm.h). A tracepoint without its text does not compile.
 */
import { isTracepoint, type TracepointName } from '../../engine/journal/event-table';
import type { Event } from '../fields';
import { MMIO_TEXTS, PAGE_TEXTS, SPTE_TEXTS, WALK_TEXTS } from './mmu-texts';
import { readFieldList } from './field-lists';
import { KEPT_AS_TEXT, OTHER_TEXTS } from './other-texts';
import { PLUGIN_TEXTS } from './plugin-texts';
import { print, read, type Dialect, type Extra, type Text, type Values } from './text';
import { EMULATION_TEXTS, EXIT_TEXTS, NOTIFIER_TEXTS } from './trace-texts';
import { versionOf, type KernelTexts, type Release, type Version } from './versions';

export const KERNEL_TEXTS: KernelTexts<TracepointName> = {
  ...EXIT_TEXTS,
  ...EMULATION_TEXTS,
  ...NOTIFIER_TEXTS,
  ...WALK_TEXTS,
  ...PAGE_TEXTS,
  ...SPTE_TEXTS,
  ...MMIO_TEXTS,
};

/** Texts by the name of a tracepoint, those that nothing here causes included. */
const BY_NAME = new Map<string, readonly Version<string>[]>([
  ...Object.entries<readonly Version<string>[]>(KERNEL_TEXTS),
  ...Object.entries(OTHER_TEXTS).map(([name, { versions }]) => [name, versions] as const),
]);

/** What a text says that the event does not. */
export type Extras = { readonly [name in Extra]?: bigint | number };

/**
 * The text of an event in a kernel's trace; null: the event is none of KVM's tracepoints, or that kernel has not got it.
 */
export function kernelText(event: Event, kernel: Release, extras: Extras, dialect: Dialect): string | null {
  if (!isTracepoint(event.name)) return null;
  const version = versionOf<string>(KERNEL_TEXTS[event.name], kernel);
  return version && print(version, { ...extras, ...event.fields, level: event.level }, dialect);
}

/** What a text of a kernel's trace says, by the names of our fields; null: the kernel has no such event or prints it otherwise. */
export function readKernelText(name: string, said: string, kernel: Release): Values | null {
  const version = versionOf(BY_NAME.get(name) ?? [], kernel);
  return version && read(version, said);
}

/** The text of such values. */
export function printKernelText(name: string, values: Values, kernel: Release, dialect: Dialect): string | null {
  const version = versionOf(BY_NAME.get(name) ?? [], kernel);
  return version && print(version, values, dialect);
}

/** Who prints a text. */
interface Printer {
  /** A kernel, the plugin of trace-cmd and perf, or their list of fields by name. */
  readonly by: 'kernel' | 'plugin' | 'fields';
  /** Of kernels: first release that prints it so, and first that does not any more. */
  readonly since?: Release;
  readonly until?: Release;
}

interface Candidate extends Printer {
  readonly text: Text<string>;
}

/** The texts that an event can have, the newest first. */
const CANDIDATES = new Map<string, readonly Candidate[]>(
  [...new Set([...BY_NAME.keys(), ...Object.keys(PLUGIN_TEXTS)])].map((name) => [
    name,
    [
      ...(BY_NAME.get(name) ?? []).map((version): Candidate => ({ by: 'kernel', ...version })).reverse(),
      ...(PLUGIN_TEXTS[name] ?? []).map((text): Candidate => ({ by: 'plugin', text })),
    ],
  ]),
);

/** What is known of an event of this name: `read` its texts, `named` alone, or nothing: it is none of KVM's. */
export function knownEvent(name: string): 'read' | 'named' | null {
  if (CANDIDATES.has(name)) return 'read';
  return KEPT_AS_TEXT.has(name) ? 'named' : null;
}

/** What a text says, whoever printed it; null: nobody that is known prints this event so. */
export function readAnyText(name: string, said: string): Values | null {
  for (const { text } of CANDIDATES.get(name) ?? []) {
    const values = read(text, said);
    if (values) return values;
  }
  return readFieldList(name, said);
}

/** All who print this text of an event. */
export function printersOf(name: string, said: string): readonly Printer[] {
  const printers: Printer[] = (CANDIDATES.get(name) ?? []).filter(({ text }) => read(text, said));
  return printers.length === 0 && readFieldList(name, said) ? [{ by: 'fields' }] : printers;
}
