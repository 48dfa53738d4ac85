/** Pages that L1's tables have elsewhere than its slots: everything that says where an access went follows the tables. */
import { holds } from './scenario';

interface Parts {
  /** What L0 does for L1. */
  readonly l1?: string;
  /** Tables of L1, and of L2. */
  readonly tables: string;
  readonly l2?: string;
  /** What L1 does before it enters L2 (its stores put L2 out). */
  readonly before?: string;
  readonly script: string;
}

function scenario(kind: 'ept' | 'npt' | 'soft', { l1 = kind, tables, l2 = '', before = '', script }: Parts): string {
  const root = kind === 'soft' ? 'spt12' : `${kind}12`;
  return `vm l1 {
  mmu ${l1}
  hypervisor script
  slot 0 { gpa 0  size 32M }
  ${tables}
  vcpu { paging none }
  vm l2 {
    mmu ${kind}
    root ${root}
    slot 0 { gpa 0  size 4M  hva 0x40_0000 }
    ${l2 || 'tables process at 0x1000 { 0x40_0000 +64K -> 0x1_0000 rw user accessed dirty }'}
    vcpu { cr3 process }
  }
}
run l1 {
  ${before}
  ${kind === 'npt' ? 'vmrun' : 'vmlaunch'} l2
  ${script}
  check invariants
}`;
}

describe('a page that L1 has moved', () => {
  for (const kind of ['ept', 'npt'] as const) {
    const hooked = `tables ${kind}12 ${kind} at 0x8000 { 0 +64K -> 0x40_0000   0x1_0000 +4K -> 0x90_0000   0x1_1000 +60K -> 0x41_1000 }`;

    it(`is where ${kind} tables have it, by address and by content`, () => {
      holds(
        scenario(kind, {
          tables: hooked,
          before: 'word 0x90_0018 = 77',
          script: `
  l2: read 0x40_0018                expect ok, value 77, gpa 0x1_0018, hva 0x90_0018, hpa of gpa 0x1_0018
  l1: expect hpa of gpa 0x90_0018
  l2: read 0x40_1000                expect ok, gpa 0x1_1000, hva 0x41_1000, hpa of gpa 0x1_1000
  l2: user write 0x40_0018 = 78     expect ok, hva 0x90_0018, word 0x1_0018 = 78
  l1: expect word 0x90_0018 = 78, word 0x41_0018 = 0
  l2: word 0x1_0020 = 5             expect word 0x1_0020 = 5
  l1: expect word 0x90_0020 = 5`,
        }),
      );
    });

    it(`holds for ${kind}: a table of L2 that is moved is read and edited where it is`, () => {
      holds(
        scenario(kind, {
          tables: `tables ${kind}12 ${kind} at 0x8000 { 0 +12K -> 0x40_0000   0x3000 +4K -> 0x40_3000   0x4000 +4K -> 0x91_0000   0x5000 +1M -> 0x40_5000 }`,
          before: 'word 0x91_0000 = 0x2_0067',
          script: `
  l2: expect process[0x40_0000] = 0x2_0067
  l2: read 0x40_0000                expect ok, gpa 0x2_0000, hva 0x42_0000
  l2: process[0x40_0000].writable = no
  l1: expect word 0x91_0000 = 0x2_0065`,
        }),
      );
    });

    it(`counts ${kind} tables as hardware does, which remembers until it is told`, () => {
      const entry = kind === 'ept' ? '0x40_0b77' : '0x40_0067';
      holds(
        scenario(kind, {
          tables: `${hooked}\n  tables other ${kind} at 0x10_0000 { 0 +64K -> 0x40_0000   0x1_0000 +1M -> 0x41_0000 }`,
          script: `
  l2: read 0x40_0000                expect ok, hva 0x90_0000
  ${kind}12[0x1_0000] = ${entry.replace('0x40', '0x41')}
  ${kind === 'ept' ? 'vmresume' : 'vmrun'} l2
  l2: read 0x40_0000                expect ok, hva ${kind === 'ept' ? '0x90_0000' : '0x41_0000'}
  ${kind === 'ept' ? 'vmcs.eptp' : 'vmcb.ncr3'} = other
  ${kind === 'ept' ? 'vmresume' : 'vmrun'} l2
  l2: read 0x40_0000                expect ok, hva 0x41_0000`,
        }),
      );
    });
  }

  it('may be one of 2M, and two addresses of L2 may lead to one place', () => {
    holds(
      scenario('ept', {
        tables:
          'tables ept12 ept at 0x8000 { 0 +2M -> 0x40_0000 pages 2M   0x20_0000 +2M -> 0xa0_0000 pages 2M   0x40_0000 +2M -> 0xa0_0000 pages 2M }',
        l2: 'tables process at 0x1000 { 0x40_0000 +8K -> 0x20_0000 rw user   0x50_0000 +8K -> 0x40_0000 rw user }',
        script: `
  l2: write 0x40_1008 = 9           expect ok, gpa 0x20_1008, hva 0xa0_1008
  l2: read 0x50_1008                expect ok, value 9, gpa 0x40_1008, hva 0xa0_1008
  l1: expect word 0xa0_1008 = 9`,
      }),
    );
  });

  for (const l1 of ['soft', 'ept']) {
    it(`is where shadow tables of L1 have it (soft on ${l1})`, () => {
      holds(
        scenario('soft', {
          l1,
          tables: 'tables spt12 at 0x8000 { 0x40_0000 +4K -> 0x90_0000 rw user   0x40_1000 +4K -> 0x41_1000 rw user }',
          before: 'word 0x90_0018 = 77',
          script: `
  l2: user read 0x40_0018           expect ok, value 77, hva 0x90_0018
  l1: expect hpa of gpa 0x90_0018
  l2: user write 0x40_1000 = 6      expect ok, hva 0x41_1000`,
        }),
      );
    });
  }
});
