/** Invariants are told when they are broken, by who tampers with a machine. */
import { strict as assert } from 'node:assert';
import type { KvmOptions, MmuKind } from '../../../../server/src/engine/program';
import type { ShadowPage } from '../../../../server/src/engine/mmu/pages/shadow-page';
import type { Hypervisor } from '../../../../server/src/engine/mmu/vmm/hypervisor';
import { Register } from '../../../../server/src/engine/vcpu/registers';
import { Bench, host } from '../machines';

const hypervisorOf = ({ machine }: Bench): Hypervisor =>
  (machine as unknown as { readonly hypervisors: readonly Hypervisor[] }).hypervisors[0];
const pageOf = ({ machine }: Bench, level: number): ShadowPage =>
  machine.shadowPages(0).find((page) => page.level === level && !page.direct)!;
const leafOf = (bench: Bench): number => {
  const { kvm } = hypervisorOf(bench);
  return kvm.rmap.of(5, 1)[Symbol.iterator]().next().value as number;
};
const change = (bench: Bench, set: number, clear: number, high = 0): void => {
  const { physical } = bench.machine;
  const at = leafOf(bench);
  physical.write(at, (physical.low(at) | set) & ~clear, physical.high(at) ^ high);
};

const CASES: readonly (readonly [string, MmuKind, Partial<KvmOptions>, string, (bench: Bench) => void])[] = [
  ['a page of level 2 that is unsync', 'soft', {}, 'S4: sp 3 l2 is unsync', (bench) => (pageOf(bench, 2).unsync = true)],
  ['a page of level 1 that is unsync unknown to the one above', 'soft', {}, 'S5', (bench) => (pageOf(bench, 1).unsync = true)],
  ['a leaf that is global', 'soft', {}, 'S10', (bench) => change(bench, 0x100, 0)],
  ['a leaf that is writable without MMU-writable', 'soft', {}, 'M5', (bench) => change(bench, 0, 0x400)],
  ['a leaf that leads elsewhere', 'ept', { tdpMmu: false }, 'M3', (bench) => change(bench, 0x80_0000, 0)],
  ['hardware without write protection', 'soft', {}, 'S15', (bench) => hypervisorOf(bench).vcpus[0].registers.set(Register.hwCr0, 0, 0)],
  [
    'two roots of one role',
    'ept',
    {},
    'T2',
    (bench) => {
      const { roots } = hypervisorOf(bench).kvm.tdpMmu as unknown as { readonly roots: ShadowPage[] };
      roots.push(roots[0]);
    },
  ],
];

describe('invariants', () => {
  for (const [what, mmu, kvm, name, tamper] of CASES) {
    it(`are broken by ${what}: ${name}`, () => {
      const bench = new Bench({ mmu, host: host('intel', kvm) });
      bench.write(0x40_0000n, 1n);
      assert.deepEqual(bench.machine.brokenInvariants(), []);
      tamper(bench);
      const broken = bench.machine.brokenInvariants();
      assert.ok(broken.some((each) => each === name || each.startsWith(`${name}: `)), broken.join('\n')); // prettier-ignore
    });
  }
});
