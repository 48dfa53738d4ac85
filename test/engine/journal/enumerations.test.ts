import { strict as assert } from 'node:assert';
import {
  FlushScope,
  HostMm,
  LocalFlush,
  MemslotChange,
  MmioType,
  RetPf,
  Structure,
  UserExit,
} from '../../../server/src/engine/journal/enumerations';
import { FIELD_KINDS, type FieldKindSpec } from '../../../server/src/engine/journal/field-kinds';

const ENUMERATIONS = { FlushScope, HostMm, LocalFlush, MemslotChange, MmioType, RetPf, Structure, UserExit };

/** Words by number, as the kernel has them, and as journals that are kept have them. */
const NUMBERS: { readonly [E in keyof typeof ENUMERATIONS]: { readonly [word: string]: number } } = {
  // arch/x86/kvm/mmu/mmu_internal.h of 6.1; the last two are ours.
  RetPf: { continue: 0, retry: 1, emulate: 2, invalid: 3, fixed: 4, spurious: 5, error: 6, writeProtected: 7 },
  // include/trace/events/kvm.h: KVM_TRACE_MMIO_*
  MmioType: { unsatisfiedRead: 0, read: 1, write: 2 },
  // include/uapi/linux/kvm.h: KVM_EXIT_*
  UserExit: { unknown: 0, mmio: 6, shutdown: 8, internalError: 17 },
  // include/linux/kvm_host.h: enum kvm_mr_change; the last one is ours.
  MemslotChange: { create: 0, delete: 1, move: 2, flags: 3, invalidate: 4 },
  Structure: { l1: 1, l2: 2, guestPhysical: 3, pagingStructure: 4, secondStructure: 5 },
  FlushScope: { page: 1, nonGlobal: 2, pcid: 3, allNonGlobal: 4, all: 5, allVpids: 6, eptContext: 7, eptGlobal: 8 },
  LocalFlush: { all: 0, current: 1, guest: 2, gva: 3 },
  HostMm: { map: 1, fault: 2, reclaim: 3, protect: 4, split: 5, collapse: 6 },
};

describe('numbers in fields of events', () => {
  for (const [name, words] of Object.entries(ENUMERATIONS)) {
    it(`are those of the kernel and of docs/events.md: ${name}`, () =>
      assert.deepEqual(
        Object.fromEntries(Object.entries(words).filter(([, value]) => typeof value === 'number')),
        NUMBERS[name as keyof typeof ENUMERATIONS],
      ));
  }

  for (const [kind, { bits, values }] of Object.entries<FieldKindSpec>(FIELD_KINDS)) {
    it(`of the kind ${kind} have room, and each a name of its own`, () => {
      assert.ok(bits === 64 || bits <= 32, 'a field takes half a slot or a whole one');
      const numbers = Object.keys(values ?? {}).map(Number);
      for (const number of numbers) assert.ok(number < 2 ** bits);
      assert.equal(new Set(numbers.map((number) => values![number].name)).size, numbers.length);
    });
  }
});
