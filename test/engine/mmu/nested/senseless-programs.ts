/** Machines of every kind with a VM in a VM, and acts on them that make no sense together. */
import fc from 'fast-check';
import { VMCB_FIELDS, VMCS_FIELDS } from '../../../../server/src/engine/mmu/nested/control-fields';
import type { Act, ControlField, KvmOptions, MmuKind, PagingMode } from '../../../../server/src/engine/program';
import { access, host, slot } from '../machines';
import { L1, L2, SETUP_N, type Nested } from './nested-machines';

const KINDS: readonly (readonly [l2: MmuKind, l1: MmuKind])[] = [
  ['soft', 'soft'],
  ['soft', 'ept'],
  ['soft', 'npt'],
  ['ept', 'ept'],
  ['npt', 'npt'],
  ['npt', 'soft'],
  ['ept', 'soft'],
];
const PAGING: readonly PagingMode[] = ['none', '32-bit', 'pae', '4-level'];
const by = fc.constantFrom(L1, L2, L2, L2);
const address = fc.constantFrom(0x40_0000n, 0x40_1000n, 0x40_2000n, 0x40_5010n, 0x40_0ffcn, 0n, 0x5000n, 0xffff_8000_0000_0000n, 0x2_0000n);
const vm = fc.nat(1);
const type = fc.nat(3) as fc.Arbitrary<0 | 1 | 2 | 3>;
const hva = fc.constantFrom(0x7f00_0040_0000, 0x7f00_0002_0000, 0x40_0000, 0x40_5000);
const value = fc.constantFrom(
  0n,
  0x5067n,
  0x8007n,
  0xfff0_0000_0000_0067n,
  0x2_005en,
  0x2_0000n,
  0xffff_ffff_ffff_ffffn,
  5n,
  0x8001_0033n,
  0xd00n,
  0x2_00a2n,
  0x8401_e172n,
  0x4000n,
);
const field = fc.constantFrom(...(Object.keys({ ...VMCS_FIELDS, ...VMCB_FIELDS }) as ControlField[]));

export const senselessAct: fc.Arbitrary<Act> = fc.oneof(
  fc
    .tuple(by, fc.constantFrom('read', 'write', 'fetch', 'rmw'), address, fc.boolean())
    .map(([who, kind, at, user]) => ({ ...access(kind as 'read', at, user, 7n), by: who }) as Act),
  fc
    .tuple(by, fc.constantFrom(0x4000, 0x3010, 0x1000, 0x2_0000, 0x2_3028, 0xd000_0000, 0x2_1000), value)
    .map(([who, gpa, word]): Act => ({ do: 'store', by: who, gpa, size: 8, value: word, origin: 0 })),
  fc
    .tuple(by, fc.constantFrom('cr0', 'cr3', 'cr4', 'efer', 'eflags'), value, fc.constantFrom(undefined, 0x1_0000n, 0x8000_0000n))
    .map(([who, name, word, mask]): Act => ({ do: 'register', by: who, register: name as 'cr0', value: word, mask, origin: 0 })),
  fc.tuple(by, address).map(([who, at]): Act => ({ do: 'invlpg', by: who, address: at, origin: 0 })),
  fc.tuple(by, type, address).map(([who, kind, at]): Act => ({ do: 'invpcid', by: who, type: kind, pcid: 1, address: at, origin: 0 })),
  fc.tuple(vm, hva, fc.constantFrom(0x1000, 0x4000)).map(([of, at, size]): Act => ({ do: 'reclaim', vm: of, hva: at, size, origin: 0 })),
  fc.tuple(vm, hva, fc.boolean()).map(([of, at, writable]): Act => ({ do: 'protect', vm: of, hva: at, size: 0x1000, writable, origin: 0 })),
  fc.tuple(vm, fc.boolean()).map(([of, logDirty]): Act => ({ do: 'slot-flags', vm: of, id: 0, logDirty, readonly: false, origin: 0 })),
  vm.map((of): Act => ({ do: 'zap-all', vm: of, origin: 0 })),
  vm.map((of): Act => ({ do: 'delete-slot', vm: of, id: 0, origin: 0 })),
  fc
    .tuple(vm, fc.constantFrom(0x40_0000, 0x60_0000), fc.constantFrom(0x7f00_0100_0000, 0x50_0000, 0x1_0000))
    .map(([of, gpa, at]): Act => ({ do: 'set-slot', vm: of, slot: slot(1, gpa, 0x1_0000, { hva: at }), origin: 0 })),
  fc.nat(3).map((kind): Act => ({ do: 'invept', by: L1, type: kind, eptp: 0x2_005en, origin: 0 })),
  fc.tuple(fc.nat(4), address).map(([kind, at]): Act => ({ do: 'invvpid', by: L1, type: kind, vpid: 1, address: at, origin: 0 })),
  by.map((who): Act => ({ do: 'instruction', by: who, instruction: 'cpuid', origin: 0 })),
  fc
    .constantFrom('vmlaunch', 'vmresume', 'vmrun')
    .map((instruction): Act => ({ do: 'vmenter', by: L1, guest: 1, instruction: instruction as 'vmrun', origin: 0 })),
  fc.tuple(field, value).map(([name, word]): Act => ({ do: 'vmcs', by: L1, guest: 1, field: name, value: word, origin: 0 })),
);

export const senselessMachine: fc.Arbitrary<Nested> = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    hypervisor: fc.constantFrom('kvm', 'script'),
    paging: fc.constantFrom(...PAGING),
    paged: fc.boolean(),
    root: fc.constantFrom(0x2_0000, 0, 0x50_0000, 0xffff_f000),
    vpid: fc.nat(2),
    kvm: fc.record({ tdpMmu: fc.boolean(), eptAd: fc.boolean(), pml: fc.boolean(), cachedRoots: fc.nat(3) }) as fc.Arbitrary<
      Partial<KvmOptions>
    >,
    tlb: fc.boolean(),
  })
  .map(({ kind: [l2, l1], hypervisor, paging, paged, root, vpid, kvm, tlb }) => {
    const made = host(l1 === 'npt' || l2 === 'npt' ? 'amd' : 'intel', { vmreads: 1, vmwrites: 0, ...kvm });
    return {
      l2,
      l1,
      hypervisor: hypervisor as 'kvm',
      host: { ...made, tlb: { ...made.tlb, on: tlb } },
      control: { root, vpid },
      words: paging === 'pae' ? { ...SETUP_N, 0x1000: 0x2001n, 0x2000: 0x3067n } : SETUP_N,
      vcpu: { paging },
      l1Words: {
        0x8000: 0x9007n,
        0x9000: 0xa007n,
        0xa000: 0xb007n,
        0xb000: 0x63n,
        0x2_0000: 0x2_1907n,
        0x2_1000: 0x2_2907n,
        0x2_2000: 0x2_3907n,
      },
      l1Vcpu: paged ? { paging: '4-level', cr3: 0x8000n } : {},
    } satisfies Nested;
  });
