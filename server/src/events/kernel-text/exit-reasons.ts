/** Holes that show why a guest left: the kernel's names, and those of trace-cmd's plugin (libtraceevent: plugins/plugin_kvm.c). */
import { exitNamed, exitReasonName } from '../../engine/mmu/exit-names';
import { Isa } from './holes';
import type { Hole, Values } from './text';

/**
 * kvm_print_exit_reason; codes of SVM can be negative, and take 16 bits here. The name says whose it is; one that is not known is kept as
 * it stands.
 */
export const exitReason = <N extends string>(name: N): Hole<N> => ({
  shows: [name],
  beside: null,
  placeholder: name,
  pattern: '.+?',
  print: (values, { vendor }) => nameOr(values[name], (reason) => exitReasonName(vendor, reason)),
  read: (said) => valuesOf(name, said),
});

/** The same as the plugin prints it. Either reads what the other prints: names tell whose they are. */
export const pluginExitReason = <N extends string>(name: N): Hole<N> => ({
  ...exitReason(name),
  print: (values, { vendor }) => nameOr(values[name], (reason) => pluginName(vendor, reason)),
});

/** A name that was kept, or that of a number. */
function nameOr(value: Values[string], nameOf: (reason: number) => string): string {
  return typeof value === 'string' ? value : nameOf((Number(value) << 16) >> 16);
}

function valuesOf(field: string, said: string): Values {
  const known = exitNamed(kernelName(said));
  if (known) return { [field]: known.reason, isa: known.vendor === 'intel' ? Isa.vmx : Isa.svm };
  const number = /^0x[0-9a-f]+$|^UNKNOWN \((\d+)\)$/.exec(said);
  return { [field]: number ? Number(number[1] ?? said) & 0xffff : said };
}

/** Names that the plugin has otherwise than in capitals: it calls SVM's exits as the manual does. */
const PLUGIN_NAMES: { readonly [kernelName: string]: string } = {
  INTERRUPT_WINDOW: 'PENDING_INTERRUPT',
  interrupt: 'EXIT_INTR',
  read_idtr: 'EXIT_IDTR_READ',
  read_gdtr: 'EXIT_GDTR_READ',
  read_ldtr: 'EXIT_LDTR_READ',
  read_rt: 'EXIT_TR_READ',
  write_idtr: 'EXIT_IDTR_WRITE',
  write_gdtr: 'EXIT_GDTR_WRITE',
  write_ldtr: 'EXIT_LDTR_WRITE',
  write_rt: 'EXIT_TR_WRITE',
  io: 'EXIT_IOIO',
  hypercall: 'EXIT_VMMCALL',
  invalid: 'EXIT_ERR',
};
const KERNEL_NAMES = new Map(Object.entries(PLUGIN_NAMES).map(([kernel, plugin]) => [plugin, kernel]));

function pluginName(vendor: 'intel' | 'amd', reason: number): string {
  const name = exitReasonName(vendor, reason);
  if (name.startsWith('0x')) return `UNKNOWN (${reason})`;
  if (vendor === 'intel' || PLUGIN_NAMES[name]) return PLUGIN_NAMES[name] ?? name;
  const exception = /^(\w\w) excp$/.exec(name);
  return `EXIT_${exception ? `EXCP_${exception[1]}` : name.toUpperCase()}`;
}

function kernelName(plugin: string): string {
  const named = KERNEL_NAMES.get(plugin);
  if (named !== undefined || !plugin.startsWith('EXIT_')) return named ?? plugin;
  const exception = /^EXIT_EXCP_(\w\w)$/.exec(plugin);
  return exception ? `${exception[1]} excp` : plugin.slice('EXIT_'.length).toLowerCase();
}
