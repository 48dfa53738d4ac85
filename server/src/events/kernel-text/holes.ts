/** Holes of the kernel's texts, named after what printk does there. */
import { MMIO_TYPE, type Meaning } from '../../engine/journal/enumerations';
import { escaped, type Extra, type Hole, type Values } from './text';

const big = (values: Values, name: string): bigint => BigInt(values[name] ?? 0);

/** A hole that shows one field, by its value alone. */
function shown<N extends string>(
  name: N,
  pattern: string,
  print: (value: bigint) => string,
  read: (said: string) => bigint | number | null,
): Hole<N> {
  return {
    shows: [name],
    beside: null,
    placeholder: name,
    pattern,
    print: (values) => print(big(values, name)),
    read: (said) => {
      const value = read(said);
      return value === null ? {} : { [name]: value };
    },
  };
}

/** %u, %d */
export const dec = <N extends string>(name: N): Hole<N> => shown(name, '\\d+', String, Number);

/** %llx */
export const hex = <N extends string>(name: N): Hole<N> =>
  shown(
    name,
    '[0-9a-f]+',
    (value) => value.toString(16),
    (said) => BigInt(`0x${said}`),
  );

/** %0*llx: as many digits, or more. */
export const padded = <N extends string>(name: N, digits: number): Hole<N> => ({
  ...hex(name),
  pattern: `[0-9a-f]{${digits},}`,
  print: (values) => big(values, name).toString(16).padStart(digits, '0'),
});

/** %#llx. Of 0 the kernel prints `0x0`, the C library `0`. */
export const sharp = <N extends string>(name: N): Hole<N> => ({
  ...shown(name, '0x[0-9a-f]+|0', (value) => `0x${value.toString(16)}`, BigInt),
  placeholder: `0x{${name}}`,
});

/** %p: a hash, the pointer itself in recordings that another program prints, or nothing as long as hashes cannot be made. */
export const pointer = <N extends string>(name: N): Hole<N> =>
  shown(
    name,
    '(?:0x)?[0-9a-f]+|\\((?:____ptrval____|null|nil)\\)',
    (value) => value.toString(16).padStart(16, '0'),
    (said) => (said.startsWith('(') ? null : BigInt(said.startsWith('0x') ? said : `0x${said}`)),
  );

/** %016llx */
export const hex16 = <N extends string>(name: N): Hole<N> => padded(name, 16);

/** %08x: the low 32 bits. */
export const hex8 = <N extends string>(name: N): Hole<N> => padded(name, 8);

/** %s of a message. */
export const words = <N extends string>(name: N): Hole<N> => ({
  shows: [name],
  beside: null,
  placeholder: name,
  pattern: '.*?',
  print: (values) => String(values[name] ?? ''),
  read: (said) => ({ [name]: said }),
});

/** %s of a message that stands for a number; one that is not known is read as 0. */
export const message = <N extends string>(name: N, messages: { readonly [value: number]: string }): Hole<N> => {
  const numbers = new Map(Object.entries(messages).map(([value, said]) => [said, Number(value)]));
  return shown(
    name,
    '.*',
    (value) => messages[Number(value)] ?? '',
    (said) => numbers.get(said) ?? 0,
  );
};

/** One of two texts. */
export const either = <N extends string>(name: N, set: string, clear: string): Hole<N> =>
  shown(
    name,
    `${escaped(set)}|${escaped(clear)}`,
    (value) => (value !== 0n ? set : clear),
    (said) => (said === set ? 1 : 0),
  );

/** __print_symbolic: names of numbers; a number without a name in hexadecimal. */
export const symbol = <N extends string>(name: N, names: { readonly [value: number]: string }): Hole<N> => {
  const numbers = new Map(Object.entries(names).map(([value, said]) => [said, Number(value)]));
  return shown(
    name,
    `${[...numbers.keys()].join('|')}|0x[0-9a-f]+`,
    (value) => names[Number(value)] ?? `0x${value.toString(16)}`,
    (said) => numbers.get(said) ?? Number(said),
  );
};

const namesOf = (meanings: { readonly [value: number]: Meaning }): { readonly [value: number]: string } =>
  Object.fromEntries(Object.entries(meanings).map(([value, { name }]) => [value, name]));

/** kvm_trace_sym_exc */
const EXCEPTIONS: { readonly [vector: number]: string } = {
  0: '#DE',
  1: '#DB',
  3: '#BP',
  4: '#OF',
  5: '#BR',
  6: '#UD',
  7: '#NM',
  8: '#DF',
  10: '#TS',
  11: '#NP',
  12: '#SS',
  13: '#GP',
  14: '#PF',
  16: '#MF',
  17: '#AC',
  18: '#MC',
};

/** `#PF`, `0xef`. */
export function exceptionName(number: number): string {
  return EXCEPTIONS[number] ?? `0x${number.toString(16)}`;
}

/** `#PF`; a vector without a name in hexadecimal. */
export const vector = <N extends string>(name: N): Hole<N> => symbol(name, EXCEPTIONS);

/** Exceptions that push an error code (SDM vol. 3 "Exception and Interrupt Reference"). */
const WITH_ERROR_CODE = [8, 10, 11, 12, 13, 14, 17];

/** ` (0x7)` of an exception that has an error code, nothing of one that has none. */
export const errorCode: Hole<'vector' | 'error_code'> = {
  shows: ['vector', 'error_code'],
  beside: null,
  placeholder: ' (0x{error_code})',
  pattern: '(?: \\(0x[0-9a-f]+\\))?',
  print: (values) => (WITH_ERROR_CODE.includes(Number(values.vector)) ? ` (0x${big(values, 'error_code').toString(16)})` : ''),
  read: (said) => (said === '' ? {} : { error_code: BigInt(said.slice(2, -1)) }),
};
export const mmioType = <N extends string>(name: N): Hole<N> => symbol(name, namesOf(MMIO_TYPE));

/** 1 when the value is this one. */
export const is = <N extends string>(name: N, value: number): Hole<N> => ({
  ...either(name, '1', '0'),
  print: (values) => (Number(values[name]) === value ? '1' : '0'),
  read: (said) => (said === '1' ? { [name]: value } : {}),
});

/** A bit of a word that several holes show. */
export const bit = <N extends string>(name: N, mask: number, set: string, clear: string): Hole<N> => ({
  ...either(name, set, clear),
  placeholder: set.trim() || clear,
  print: (values) => ((Number(values[name] ?? 0) & mask) !== 0 ? set : clear),
  read: (said) => ({ [name]: said === set ? mask : 0 }),
});

/** Several bits of such a word, by their names. */
export const bits = <N extends string>(name: N, mask: number, names: readonly string[], placeholder: string): Hole<N> => {
  const shift = 31 - Math.clz32(mask & -mask);
  return {
    shows: [name],
    beside: null,
    placeholder,
    pattern: names.join('|'),
    print: (values) => names[(Number(values[name] ?? 0) & mask) >>> shift],
    read: (said) => ({ [name]: names.indexOf(said) << shift }),
  };
};

/** Bits with names, in the order in which they are printed. */
export type Flags = readonly (readonly [bit: bigint, name: string])[];

const FLAGS = '(?:\\w+|\\|)*';

/** __print_flags: names, then what has none as one number; nothing for 0. */
export const flags = <N extends string>(name: N, known: Flags, width = 64): Hole<N> =>
  shown(
    name,
    FLAGS,
    (value) => flagsText(BigInt.asUintN(width, value), known),
    (said) => flagsOf(said, known),
  );

/** The same behind a blank, which goes with them. */
export const flagsAfter = <N extends string>(name: N, known: Flags): Hole<N> =>
  shown(
    name,
    `(?: ${FLAGS})?`,
    (value) => (value === 0n ? '' : ` ${flagsText(value, known)}`),
    (said) => flagsOf(said.trim(), known),
  );

function flagsText(code: bigint, known: Flags): string {
  const set = known.filter(([each]) => (code & each) !== 0n);
  const rest = set.reduce((left, [each]) => left & ~each, code);
  return [...set.map(([, name]) => name), ...(rest !== 0n ? [`0x${rest.toString(16)}`] : [])].join('|');
}

function flagsOf(said: string, known: Flags): bigint {
  const parts = said === '' ? [] : said.split('|');
  return parts.reduce((code, part) => code | (known.find(([, name]) => name === part)?.[0] ?? BigInt(part)), 0n);
}

/** isa of the tracepoints that have it: whose extensions (KVM_ISA_VMX, KVM_ISA_SVM). */
export enum Isa {
  vmx = 1,
  svm = 2,
}

/** One of two texts, by the vendor. */
export const vendor = (intel: string, amd: string): Hole<never> => ({
  shows: [],
  beside: null,
  placeholder: `${intel}|${amd}`,
  pattern: `${intel}|${amd}`,
  print: (_, dialect) => (dialect.vendor === 'intel' ? intel : amd),
  read: (said) => ({ isa: said === intel ? Isa.vmx : Isa.svm }),
});

/** What no field of ours has. */
export const beside = (hole: Hole<Extra>, from: string): Hole<never> => ({
  ...hole,
  shows: [],
  beside: { name: hole.shows[0], from },
});

/** kvm_trace_exit_reason, as far as x86 has them (uapi/linux/kvm.h: KVM_EXIT_*). */
const USER_EXITS: { readonly [reason: number]: string } = {
  0: 'KVM_EXIT_UNKNOWN',
  1: 'KVM_EXIT_EXCEPTION',
  2: 'KVM_EXIT_IO',
  3: 'KVM_EXIT_HYPERCALL',
  4: 'KVM_EXIT_DEBUG',
  5: 'KVM_EXIT_HLT',
  6: 'KVM_EXIT_MMIO',
  7: 'KVM_EXIT_IRQ_WINDOW_OPEN',
  8: 'KVM_EXIT_SHUTDOWN',
  9: 'KVM_EXIT_FAIL_ENTRY',
  10: 'KVM_EXIT_INTR',
  11: 'KVM_EXIT_SET_TPR',
  12: 'KVM_EXIT_TPR_ACCESS',
  16: 'KVM_EXIT_NMI',
  17: 'KVM_EXIT_INTERNAL_ERROR',
  24: 'KVM_EXIT_SYSTEM_EVENT',
  26: 'KVM_EXIT_IOAPIC_EOI',
  27: 'KVM_EXIT_HYPERV',
  29: 'KVM_EXIT_X86_RDMSR',
  30: 'KVM_EXIT_X86_WRMSR',
};

/** `KVM_EXIT_MMIO`, `0x27`. */
export function userExitName(reason: number): string {
  return USER_EXITS[reason] ?? `0x${reason.toString(16)}`;
}

/** Linux's number of it. */
const EINTR = 4;

/** `KVM_EXIT_MMIO (6)`, `error (14)`, `restart (4)`. */
export const userExit: Hole<'reason' | 'errno'> = {
  shows: ['reason', 'errno'],
  beside: null,
  placeholder: 'reason, or error with errno',
  pattern: '\\w+ \\(\\d+\\)',
  print: ({ reason, errno }) =>
    errno ? `${errno === EINTR ? 'restart' : 'error'} (${errno})` : `${userExitName(Number(reason))} (${reason})`,
  read: (said) => {
    const number = Number(/\((\d+)\)/.exec(said)![1]);
    return /^(?:error|restart) /.test(said) ? { reason: 0, errno: number } : { reason: number, errno: 0 };
  },
};

/** `48 89 03` */
export const instruction: Hole<'length' | 'bytes'> = {
  shows: ['length', 'bytes'],
  beside: null,
  placeholder: 'bytes',
  pattern: '(?:[0-9a-f]{2} ?)*',
  print: ({ length, bytes }) =>
    Array.from({ length: Number(length) }, (_, i) => ((BigInt(bytes ?? 0) >> BigInt(8 * i)) & 0xffn).toString(16).padStart(2, '0')).join(
      ' ',
    ),
  read: (said) => {
    const each = said === '' ? [] : said.split(' ');
    return { length: each.length, bytes: each.reduceRight((all, byte) => (all << 8n) | BigInt(`0x${byte}`), 0n) };
  },
};

/** `rwxu` of a leaf spte; in EPT bit 0 is both r and u. Nothing is read from it: the spte says more. */
export const sptePermissions: Hole<'spte'> = {
  shows: ['spte'],
  beside: null,
  placeholder: 'rwxu',
  pattern: '[rwxu-]{3,4}',
  print: (values, { ept }) => {
    const has = (at: bigint): boolean => (big(values, 'spte') & (1n << at)) !== 0n;
    const [r, x, u] = ept ? [has(0n), has(2n), has(0n)] : [has(0n), !has(63n), has(2n)];
    return `${r ? 'r' : '-'}${has(1n) ? 'w' : '-'}${x ? 'x' : '-'}${u ? 'u' : '-'}`;
  },
  read: () => ({}),
};

/** The root that L2 runs with: its label says which. */
export const nestedRoot: Hole<'nested_tdp' | 'nested_root'> = {
  shows: ['nested_tdp', 'nested_root'],
  beside: null,
  placeholder: 'nested_eptp|nested_cr3|guest_cr3: 0x{nested_root}',
  pattern: '\\w+: 0x[0-9a-f]{16}',
  print: (values, dialect) => {
    const label = !values.nested_tdp ? 'guest_cr3' : dialect.vendor === 'intel' ? 'nested_eptp' : 'nested_cr3';
    return `${label}: 0x${big(values, 'nested_root').toString(16).padStart(16, '0')}`;
  },
  read: (said) => ({ nested_root: BigInt(said.slice(said.indexOf('0x'))) }),
};
