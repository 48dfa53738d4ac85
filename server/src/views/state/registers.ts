/** Registers of vCPUs, and the fields of VMCS or VMCB by which they run, by the manuals' names. */
import { Space, SPACES } from '../../engine/journal/spaces';
import { pagingModeOf, pcidOf } from '../../engine/vcpu/control-registers';
import { Bank, Register } from '../../engine/vcpu/registers';
import type { Registers } from '../../engine/vcpu/registers';
import { nested } from '../../events/guests';
import { registerName } from '../../events/registers';
import { hex, joined } from '../../events/wording';
import { BITS_OF_REGISTERS } from '../change-spaces';
import type { MachineState } from '../machine-state';
import { IN_HARDWARE } from '../way/hardware';
import { touches } from './thing';
import type { Thing } from './thing';

const KEY = SPACES[Space.register].key;

/** What the guest sees; where its code is has no meaning here. */
const GUEST: readonly Register[] = [
  Register.cr0,
  Register.cr2,
  Register.cr3,
  Register.cr4,
  Register.efer,
  Register.rflags,
  Register.pkru,
  Register.pkrs,
];
const PDPTES: readonly Register[] = [Register.pdpte0, Register.pdpte1, Register.pdpte2, Register.pdpte3];

/** Fields of a control structure: SDM vol. 3D, appendix B; APM vol. 2, appendix B. */
const FIELDS: readonly { readonly register: Register; readonly vmcs: string; readonly vmcb: string | null }[] = [
  { register: Register.hwCr0, vmcs: 'Guest CR0', vmcb: 'CR0' },
  { register: Register.hwCr3, vmcs: 'Guest CR3', vmcb: 'CR3' },
  { register: Register.hwCr4, vmcs: 'Guest CR4', vmcb: 'CR4' },
  { register: Register.hwEfer, vmcs: 'Guest IA32_EFER', vmcb: 'EFER' },
  { register: Register.hwPdpte0, vmcs: 'Guest PDPTE0', vmcb: 'PDPTE0' },
  { register: Register.hwPdpte1, vmcs: 'Guest PDPTE1', vmcb: 'PDPTE1' },
  { register: Register.hwPdpte2, vmcs: 'Guest PDPTE2', vmcb: 'PDPTE2' },
  { register: Register.hwPdpte3, vmcs: 'Guest PDPTE3', vmcb: 'PDPTE3' },
  { register: Register.secondRoot, vmcs: 'EPT pointer', vmcb: 'nCR3' },
  { register: Register.vpid, vmcs: 'VPID', vmcb: 'ASID' },
  { register: Register.pmlAddress, vmcs: 'PML address', vmcb: null },
  { register: Register.pmlIndex, vmcs: 'Guest PML index', vmcb: null },
];

/** Registers in hardware, and what is there of the guest's own while it runs in the second bank. */
const FIRST_OF_HARDWARE = Register.hwCr0;

export function vcpuThings(state: MachineState): Thing[] {
  const { vms } = state.machine;
  return vms.flatMap(({ name, vcpus, parent }, vm) =>
    vcpus.map((_, vcpu): Thing => {
      const number = state.vcpuNumber(vm, vcpu);
      const registers = state.registers(vm, vcpu);
      const own: Shown = { state, registers, number, bank: Bank.own, space: parent === null ? 'gpa ' : 'ngpa ' };
      const inside: Shown = { state, registers: state.registers(vm, vcpu, Bank.nested), number, bank: Bank.nested, space: '' };
      const set = PDPTES.filter((register) => registers.value(register) !== 0n);
      return {
        part: `${vm}.${vcpu}`,
        name: vms.length > 1 ? `${name} vCPU ${vcpu}` : `vCPU ${vcpu}`,
        decoded: pagingModeOf(registers) === 'none' ? 'no paging' : `${pagingModeOf(registers)} paging`,
        inside: () => [
          ...[...GUEST, ...set].map((register) => registerThing(own, register, registerName(register))),
          ...controls(own, structureName(state, parent === null ? '01' : '12')),
          ...(parent === null ? controls(inside, structureName(state, '02')) : []),
        ],
        touchedBy: (touched) => touches(touched, Space.register, (key) => KEY.field(key, 'vcpu') === number),
      };
    }),
  );
}

/** `VMCS`; where a VM stands in a VM `vmcs01`, `vmcb12`. */
function structureName({ machine, host }: MachineState, which: string): string {
  const name = host.vendor === 'intel' ? 'VMCS' : 'VMCB';
  return nested(machine) ? `${name.toLowerCase()}${which}` : name;
}

/** The control structure, where something stands in it. */
function controls(shown: Shown, name: string): Thing[] {
  const { state, registers, number, bank } = shown;
  const there = (register: Register): boolean => registers.value(register) !== 0n;
  const fields = FIELDS.flatMap(({ register, vmcs, vmcb }) => {
    const field = state.host.vendor === 'intel' ? vmcs : vmcb;
    return field !== null && there(register) ? [{ register, field }] : [];
  });
  const replaced = IN_HARDWARE.filter(([, hardware]) => there(hardware)).map(([own]) => own);
  const guest = bank === Bank.nested ? [...GUEST, ...PDPTES].filter((register) => there(register) && !replaced.includes(register)) : [];
  if (fields.length + guest.length === 0) return [];
  const ofStructure = (key: number): boolean =>
    KEY.field(key, 'vcpu') === number &&
    KEY.field(key, 'bank') === (bank as number) &&
    (bank === Bank.nested || KEY.field(key, 'register') >= (FIRST_OF_HARDWARE as number));
  return [
    {
      part: bank === Bank.nested ? 'control02' : 'control',
      name,
      inside: () => [
        ...guest.map((register) => registerThing(shown, register, `Guest ${registerName(register)}`)),
        ...fields.map(({ register, field }) => registerThing(shown, register, field)),
      ],
      touchedBy: (touched) => touches(touched, Space.register, ofStructure),
    },
  ];
}

/** Registers of a vCPU that are shown together. */
interface Shown {
  readonly state: MachineState;
  readonly registers: Registers;
  /** Of the vCPU, over all VMs. */
  readonly number: number;
  readonly bank: Bank;
  /** Space of the guest's own physical addresses; empty: it depends on whose tables are there. */
  readonly space: 'gpa ' | 'ngpa ' | '';
}

function registerThing({ state, registers, number, bank, space }: Shown, register: Register, name: string): Thing {
  const value = registers.value(register);
  return {
    part: Register[register],
    name,
    value: hex(value),
    decoded: decoded(state, registers, register, value, space),
    words: [{ space: Space.register, key: KEY.encode({ vcpu: number, bank, register }) }],
  };
}

function decoded(state: MachineState, registers: Registers, register: Register, value: bigint, space: Shown['space']): string {
  const bits = BITS_OF_REGISTERS[register];
  if (bits)
    return Object.entries(bits)
      .filter(([, mask]) => (value & BigInt(mask >>> 0)) !== 0n)
      .map(([name]) => name.toUpperCase())
      .join(' ');
  switch (register) {
    case Register.cr3:
      return joined(`root at ${space}${hex(value & 0xf_ffff_ffff_f000n)}`, pcidOf(registers) !== 0 && `PCID ${pcidOf(registers)}`);
    case Register.hwCr3:
      return `root at ${hex(value & 0xf_ffff_ffff_f000n)}`;
    case Register.secondRoot:
      return rootText(state, value);
    default:
      return '';
  }
}

/** EPTP (SDM vol. 3C "Extended-Page-Table Pointer (EPTP)"), or nCR3. */
function rootText({ host }: MachineState, value: bigint): string {
  const root = `root at ${hex(value & 0xf_ffff_ffff_f000n)}`;
  if (host.vendor === 'amd') return root;
  const types: { readonly [type: string]: string } = { '0': 'UC', '6': 'WB' };
  const type = String(value & 7n);
  return joined(
    root,
    `${Number((value >> 3n) & 7n) + 1} levels`,
    types[type] ?? `memory type ${type}`,
    `A/D ${(value & 0x40n) !== 0n ? 'on' : 'off'}`,
  );
}
