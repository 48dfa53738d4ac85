/** docs/model.md, "Where KVM itself falls short": the model follows KVM there, so the kinds of MMU differ for the guest. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { failedExpectations, runScript } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import { HOLES } from '../../server/src/run/holes';
import { holds } from './scenario';

const GUEST = `vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 {
    0x40_0000 +16K  -> 0x20_0000  rw user nx accessed dirty
    table 0x40_0000 level 1 at 0x4000
  }
  vcpu { cr3 kernel }
}
`;
const run = (script: string): unknown => holds(`${GUEST}run guest under soft, ept, npt {\n${script}\n}\n`);

describe('where KVM differs from the architecture under soft MMU', () => {
  it('an implicit access to a user page under SMAP with EFLAGS.AC faults for ever', () => {
    run(`cr4.smap = on
      supervisor read 0x40_0000 ac on  expect ok
      implicit read 0x40_0000 ac on    expect exits 512 of #PF under soft
                                       expect #PF(P) under ept, npt`);
  });

  it('there are no protection keys', () => {
    run(`cr4.pke = on         expect #GP under soft
      pkru = 1
      user read 0x40_0000   expect ok under soft
                            expect #PF(P U PK) under ept, npt`);
  });

  it('a mapped page with bit 63 outlives EFER.NXE', () => {
    run(`user read 0x40_0000  expect ok
      efer.nxe = off
      user read 0x40_0000   expect ok under soft
                            expect #PF(P U RSVD) under ept, npt`);
  });

  it('what the VMM writes into a page table in sync is not seen', () => {
    run(`user read 0x40_0000  expect ok
      host write gpa 0x4000 = 0x22_0067
      invlpg 0x40_0000
      cr3 = kernel
      user read 0x40_0000   expect gpa 0x20_0000 under soft
                            expect gpa 0x22_0000 under ept, npt`);
  });

  it("SMAP with WP = 0: a page that the supervisor wrote with AC = 1 is the supervisor's", () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 16M }
  tables kernel at 0x1000 { 0x40_0000 +4K -> 0x20_0000 ro user }
  vcpu { cr3 kernel  cr0.wp off  cr4.smap on }
}
run guest under soft, ept, npt {
  supervisor read 0x40_0000         expect #PF(P)
  supervisor write 0x40_0000 ac on  expect ok
  supervisor write 0x40_0000        expect ok under soft
                                    expect #PF(P W) under ept, npt
  supervisor read 0x40_0000         expect ok under soft
                                    expect #PF(P) under ept, npt
}
`);
  });

  it('page tables in read-only memory are taken for the data where offsets are equal', () => {
    holds(`vm guest {
  slot 0 { gpa 0  size 64K  readonly }
  slot 1 { gpa 1M  size 15M }
  tables kernel at 0x1000 { 0x40_0000 +16K -> 0x20_0000 rw user accessed dirty }
  vcpu { cr3 kernel }
}
run guest under soft, ept, npt {
  user read 0x40_0000   expect gpa 0x20_0000 under soft
                        expect gpa 0x1000 under ept, npt
}
`);
  });
});

describe('a hole of KVM that same meets', () => {
  const machine = (more: string): string => `vm guest { slot 0 { gpa 0  size 16M }  ${more} }\n`;
  const long = GUEST.replace('rw user nx', 'rw user nx key 1');
  const SCENARIOS: { readonly [hole in keyof typeof HOLES]: string } = {
    'implicit-smap': `${GUEST}run guest under soft, ept { cr4.smap = on  implicit read 0x40_0000 ac on  same }\n`,
    'protection-keys': `${long}run guest under soft, ept { cr4.pke = on  pkru = 4  user read 0x40_0000  same }\n`,
    'nxe-cleared': `${GUEST}run guest under soft, npt { user read 0x40_0000  efer.nxe = off  user read 0x40_0000  same }\n`,
    'table-written-by-vmm': `${GUEST}run guest under soft, ept {
  word 0x20_0000 = 1  word 0x22_0000 = 2
  user read 0x40_0000  host write gpa 0x4000 = 0x22_0067  invlpg 0x40_0000  user read 0x40_0000  same }\n`,
    'table-in-read-only-slot': `vm guest {
  slot 0 { gpa 0  size 64K  readonly }
  slot 1 { gpa 1M  size 15M }
  tables kernel at 0x1000 { 0x40_0000 +16K -> 0x20_0000 rw user accessed dirty }
  vcpu { cr3 kernel }
}
run guest under soft, ept { user read 0x40_0000  same }\n`,
    'mmio-after-sync': `vm guest {
  slot 0 { gpa 0  size 4M }
  slot 2 { gpa 16M  size 4K }
  tables kernel at 0x1000 {
    0x40_0000 +4K -> 0x20_0000 rw user
    0x40_8000 +4K -> 0x100_0000 rw user
    0x60_0000 +64K -> 0 rw
  }
  vcpu { cr3 kernel }
}
run guest under soft, ept {
  host delete slot 2
  read 0x40_0000
  read 0x40_8000
  kernel[0x40_0000 level 1] = 0x20_0067
  host create slot 1 { gpa 0x100_0000  size 64K }
  cr3 = kernel
  read 0x40_8000
  same
}
`,
    'smap-without-wp': `${machine('tables kernel at 0x1000 { 0x40_0000 +4K -> 0x20_0000 ro user }  vcpu { cr3 kernel  cr0.wp off  cr4.smap on }')}
run guest under soft, ept { supervisor write 0x40_0000 ac on  supervisor read 0x40_0000  same }\n`,
    'pse-cleared': `${machine('tables kernel 32-bit at 0x1000 { 0x40_0000 +4M -> 0x40_0000 pages 4M rw user }  vcpu { paging 32-bit  cr3 kernel  cr4.pse on }')}
run guest under soft, ept { user read 0x40_0000  cr4.pse = off  user read 0x40_0000  same }\n`,
  };

  for (const [name, scenario] of Object.entries(SCENARIOS))
    it(`is named, with the kind that does as the manuals say: ${name}`, () => {
      const script = openScript(scenario, 'file:///a.mmu', { read: () => null });
      assert.deepEqual(script.problems.filter(({ severity }) => severity === 'error').map(({ message }) => message), []); // prettier-ignore
      const failed = runScript(script, {}).flatMap(failedExpectations);
      const follows = HOLES[name as keyof typeof HOLES].follows === 'soft' ? 'soft' : 'ept|npt';
      assert.match(failed[0]?.got ?? 'nothing', new RegExp(`KVM falls short here \\(${name}\\), the manual wants what (${follows}) has`));
    });

  it('is explained in docs/model.md by that name, each of them', () => {
    const [, section] = readFileSync('docs/model.md', 'utf8').split('### Where KVM itself falls short');
    assert.deepEqual([...section.matchAll(/^- `([a-z-]+)`: /gm)].map(([, name]) => name).sort(), Object.keys(HOLES).sort()); // prettier-ignore
  });

  it('is none where both kinds do what they should', () => {
    const script = openScript(`${GUEST}run guest under soft, ept { user read 0x40_0000 expect ok  same }\n`, 'file:///a.mmu', {
      read: () => null,
    });
    assert.deepEqual(runScript(script, {}).flatMap(failedExpectations), []);
  });
});
