/** Holes of the kernel's texts, named after what printk does there. */
import { MMIO_TYPE, USER_EXIT, VECTOR, type Meaning } from '../../engine/journal/enumerations';
import { exitReasonName } from '../../engine/mmu/exit-names';
import { SvmExit, VmxExit } from '../../engine/x86/exit-reasons';
import { escaped, type Dialect, type Extra, type Hole, type Values } from './text';

const big = (values: Values, name: string): bigint => BigInt(values[name] ?? 0);

function shown<N extends string>(
  name: N,
  pattern: string,
  print: (value: bigint) => string,
  read: (said: string) => bigint | number,
): Hole<N> {
  return {
    shows: [name],
    beside: null,
    placeholder: name,
    pattern,
    print: (values) => print(big(values, name)),
    read: (said) => ({ [name]: read(said) }),
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

/** %016llx, and %p as far as it says anything: kernels print a hash of a pointer. */
export const hex16 = <N extends string>(name: N): Hole<N> => padded(name, 16);

/** %08x: the low 32 bits. */
export const hex8 = <N extends string>(name: N): Hole<N> => padded(name, 8);

/** %s of a message. */
export const words = <N extends string>(name: N): Hole<N> => ({
  shows: [name],
  beside: null,
  placeholder: name,
  pattern: '.*',
  print: (values) => String(values[name] ?? ''),
  read: (said) => ({ [name]: said }),
});

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

export const vector = <N extends string>(name: N): Hole<N> => symbol(name, namesOf(VECTOR));
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

/** kvm_print_exit_reason; codes of SVM can be negative, and take 16 bits here. */
export const exitReason = <N extends string>(name: N): Hole<N> => ({
  shows: [name],
  beside: null,
  placeholder: name,
  pattern: '.+?',
  print: (values, { vendor }) => exitReasonName(vendor, (Number(values[name]) << 16) >> 16),
  read: (said, { vendor }) => ({ [name]: reasonOf(said, vendor) }),
});

function reasonOf(said: string, vendor: Dialect['vendor']): number {
  const codes = Object.values(vendor === 'intel' ? VmxExit : SvmExit).filter((code) => typeof code === 'number');
  return (codes.find((code) => exitReasonName(vendor, code) === said) ?? Number(said)) & 0xffff;
}

/** One of two texts, by the vendor. */
export const vendor = (intel: string, amd: string): Hole<never> => ({
  shows: [],
  beside: null,
  placeholder: `${intel}|${amd}`,
  pattern: `${intel}|${amd}`,
  print: (_, dialect) => (dialect.vendor === 'intel' ? intel : amd),
  read: () => ({}),
});

/** What no field of ours has. */
export const beside = (hole: Hole<Extra>, from: string): Hole<never> => ({
  ...hole,
  shows: [],
  beside: { name: hole.shows[0], from },
});

/** `KVM_EXIT_MMIO (6)`, `error (14)`. */
export const userExit: Hole<'reason' | 'errno'> = {
  shows: ['reason', 'errno'],
  beside: null,
  placeholder: 'reason, or error with errno',
  pattern: '\\w+ \\(\\d+\\)',
  print: ({ reason, errno }) =>
    errno ? `error (${errno})` : `${USER_EXITS[Number(reason)] ?? `0x${Number(reason).toString(16)}`} (${reason})`,
  read: (said) => {
    const number = Number(/\((\d+)\)/.exec(said)![1]);
    return said.startsWith('error') ? { reason: 0, errno: number } : { reason: number, errno: 0 };
  },
};

/** kvm_trace_exit_reason, as far as recordings of x86 have them. */
const USER_EXITS: { readonly [reason: number]: string } = {
  ...namesOf(USER_EXIT),
  2: 'KVM_EXIT_IO',
  5: 'KVM_EXIT_HLT',
  9: 'KVM_EXIT_FAIL_ENTRY',
  10: 'KVM_EXIT_INTR',
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
