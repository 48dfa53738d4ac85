/**
 * Events as the kernel's trace prints them, and back: one table of texts by kernel (mmu-semantics.md §8.1; TP_printk of
 * arch/x86/kvm/trace.h, mmu/mmutrace.h and include/trace/events/kvm.h). A tracepoint without its text does not compile.
 */
import { isTracepoint, type TracepointName } from '../../engine/journal/event-table';
import type { Event } from '../fields';
import { MMIO_TEXTS, PAGE_TEXTS, SPTE_TEXTS, WALK_TEXTS } from './mmu-texts';
import { OTHER_TEXTS } from './other-texts';
import { print, read, type Dialect, type Extra, type Values } from './text';
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
export function readKernelText(name: string, said: string, kernel: Release, dialect: Dialect): Values | null {
  const version = versionOf(BY_NAME.get(name) ?? [], kernel);
  return version && read(version, said, dialect);
}

/** The text of such values. */
export function printKernelText(name: string, values: Values, kernel: Release, dialect: Dialect): string | null {
  const version = versionOf(BY_NAME.get(name) ?? [], kernel);
  return version && print(version, values, dialect);
}
