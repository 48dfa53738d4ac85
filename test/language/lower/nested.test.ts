import assert from 'node:assert/strict';
import type { Act, Expectation, Program, VmConfig } from '../../../server/src/engine/program';
import { check } from '../check';

const K = 2 ** 10;
const M = 2 ** 20;

interface Parts {
  readonly l1?: string;
  readonly l2?: string;
  readonly run?: string;
  readonly script?: string;
}

/** An L1 with 16M and an L2; slots of both can be given. */
function nested({ l1 = '', l2 = '', run = 'run l2', script = 'read 0' }: Parts): string {
  const slot = (inside: string, size: string): string => (inside.includes('slot 0') ? '' : `slot 0 { gpa 0  size ${size} }`);
  return `vm l1 {
  ${slot(l1, '16M')} ${l1.includes('vcpu') ? '' : 'vcpu { paging none }'}
  ${l1}
  vm l2 { ${slot(l2, '4M')} ${l2.includes('vcpu') ? '' : 'vcpu { paging none }'} ${l2} }
}
${run} { ${script} }
`;
}

function programs(parts: Parts): readonly Program[] {
  return check(nested(parts)).programs;
}

function vms(parts: Parts): readonly VmConfig[] {
  return programs(parts)[0].machine.vms;
}

const hvas = (parts: Parts): number[] => vms(parts)[1].slots.map(({ hva }) => hva);

describe('a VM inside a VM', () => {
  it('names the VM around it, and its own kind of MMU', () => {
    const all = programs({ run: 'run l2 under soft on soft, soft on ept, ept on ept, npt on npt, soft' });
    assert.deepEqual(
      all.map(({ name, machine }) => [name, machine.host.vendor, ...machine.vms.map(({ mmu, parent }) => `${mmu} ${parent}`)]),
      [
        ['l2 under soft on soft', 'intel', 'soft null', 'soft 0'],
        ['l2 under soft on ept', 'intel', 'ept null', 'soft 0'],
        ['l2 under ept on ept', 'intel', 'ept null', 'ept 0'],
        ['l2 under npt on npt', 'amd', 'npt null', 'npt 0'],
        ['l2 under soft', 'intel', 'ept null', 'soft 0'],
      ],
    );
  });

  it('has a control structure as the scenario says', () => {
    assert.deepEqual(vms({})[1].control, {});
    assert.equal(vms({})[0].control, undefined);
    assert.deepEqual(vms({ l2: 'vmcs 0x1_8000  vpid 7' })[1].control, { address: 0x1_8000, vpid: 7 });
    const root = { l1: 'hypervisor script  tables ept12 ept at 0x8000 { 0 +1M -> 4M }', l2: 'root ept12' };
    assert.deepEqual(vms(root)[1].control, { root: 0x8000 });
    assert.equal(vms(root)[0].hypervisor, 'script');
    assert.deepEqual(vms({ l1: 'hypervisor script', l2: 'root 0x9000' })[1].control, { root: 0x9000 });
  });

  for (const [parts, problem] of [
    [{ l2: 'vmcs ⟦0x1_8001⟧' }, 'not-aligned: VMCS'],
    [{ l2: 'vmcs ⟦32M⟧' }, 'not-in-slot: l1'],
    [{ l1: 'tables _a at 0x8000 { }', l2: 'vmcs ⟦0x8000⟧' }, 'tables-overlap: _a'],
    [{ l2: 'vpid ⟦0x1_0000⟧' }, 'out-of-range'],
    [{ l2: '⟦root 0x8000⟧' }, 'not-by-script: behaves as KVM'],
    [{ l1: 'hypervisor script', l2: 'root ⟦0x8001⟧' }, 'not-aligned: root'],
    [{ l1: 'hypervisor script', l2: 'root ⟦32M⟧' }, 'not-in-slot'],
    [{ l1: 'hypervisor script', l2: 'root ⟦own⟧  tables own ept at 0x8000 { }' }, 'not-tables: not tables of l1'],
    [
      { l1: 'hypervisor script  tables a npt at 0x8000 { }', l2: 'root a', run: 'run l2 under ⟦ept on ept⟧' },
      'format-mismatch: npt tables',
    ],
    [
      { l1: 'hypervisor script  tables a at 0x8000 { }', l2: 'root a', run: 'run l2 under pae, ⟦soft on ept⟧'.replace('pae, ', '') },
      'format-mismatch: pae',
    ],
  ] as const) {
    it(`${Object.values(parts).join('; ').replace(/[⟦⟧]/g, '')} is wrong`, () => void check(nested(parts), [problem]));
  }

  it('cannot be three deep yet', () => {
    check(nested({ l2: 'slot 0 { gpa 0  size 4M }  vcpu { paging none }  vm ⟦l3⟧ { slot 0 { gpa 0  size 1M }  vcpu { paging none } }' }), [
      'not-supported-yet',
    ]);
  });
});

describe('memory of a VM inside a VM', () => {
  it('lies in L1 from 4M on, congruent to its GPA', () => {
    assert.deepEqual(hvas({}), [4 * M]);
    assert.deepEqual(hvas({ l2: 'slot 0 { gpa 0  size 1M }  slot 1 { gpa 3M + 4K  size 1M }' }), [4 * M, 5 * M + 4 * K]);
    assert.deepEqual(hvas({ l1: 'slot 0 { gpa 0  size 3M }', l2: 'slot 0 { gpa 0  size 1M }' }), [0]);
    assert.deepEqual(hvas({ l1: 'slot 0 { gpa 0  size 1M }  slot 1 { gpa 8M  size 8M }', l2: 'slot 0 { gpa 0  size 4M }' }), [8 * M]);
    assert.deepEqual(hvas({ l1: 'slot 0 { gpa 0  size 5M }  slot 1 { gpa 5M  size 8M }', l2: 'slot 0 { gpa 0  size 4M }' }), [4 * M]);
  });

  it('keeps clear of what is in L1 already, also of slots that say where they lie', () => {
    assert.deepEqual(hvas({ l1: 'tables _a at 4M { }' }), [6 * M]);
    assert.deepEqual(hvas({ l1: 'word 5M = 1' }), [6 * M]);
    assert.deepEqual(hvas({ l2: 'slot 0 { gpa 0  size 1M }  slot 1 { gpa 2M  size 1M  hva 4M }' }).slice(0, 1), [6 * M]);
    // Right behind what is taken, where that ends so.
    assert.deepEqual(hvas({ l2: 'slot 0 { gpa 0  size 1M }  slot 1 { gpa 2M  size 2M  hva 4M }' }).slice(0, 1), [6 * M]);
    const two = check(`vm l1 { slot 0 { gpa 0  size 16M }  vcpu { paging none }
      vm a { slot 0 { gpa 0  size 1M }  vcpu { paging none } }
      vm b { slot 0 { gpa 0  size 1M  hva 4M }  vcpu { paging none } }
      vm c { slot 0 { gpa 0  size 1M }  vcpu { paging none } } }
      run a { read 0 }`).programs[0].machine.vms;
    assert.deepEqual(two.slice(1).map(({ slots }) => slots[0].hva), [6 * M, 4 * M, 8 * M]); // prettier-ignore
  });

  it('is not given to tables of L1', () => {
    const { memory } = vms({ l1: 'tables _a at 0x3f_f000 { 0 +4K -> 0x9000 }', l2: 'slot 0 { gpa 0  size 2M  hva 4M }' })[0];
    for (const { gpa } of memory) assert.ok(gpa < 4 * M || gpa >= 6 * M, gpa.toString(16));
    assert.equal(memory.length, 4);
  });

  for (const [parts, problem] of [
    [{ l2: 'slot 0 { gpa 0  size 4M  hva ⟦14M⟧ }' }, 'not-in-slot: hva 0x100_0000'],
    [{ l2: 'slot 0 { gpa 0  size 4M  hva ⟦0x7f00_0000_0000⟧ }' }, 'not-in-slot: part of its own'],
    [{ l1: 'tables _a at 5M { }', l2: 'slot 0 { gpa 0  size 4M  hva ⟦4M⟧ }' }, 'tables-overlap: _a of l1 have a table at 0x50_0000'],
    [{ l2: 'slot ⟦0⟧ { gpa 0  size 32M }' }, 'no-room-for-slot: 32M'],
    [{ script: 'l2: host create slot 1 { gpa 8M  size 1M  hva ⟦32M⟧ }' }, 'not-in-slot'],
  ] as const) {
    it(`${Object.values(parts).join('; ').replace(/[⟦⟧]/g, '')} is wrong`, () => void check(nested(parts), [problem]));
  }

  it('of slots that are made later lies in L1 too', () => {
    const made = programs({ script: 'l2: host create slot 1 { gpa 8M  size 1M }\n host create slot 7 { gpa 32M  size 1M }' })[0].acts;
    assert.deepEqual(
      made.flatMap((act) => (act.do === 'set-slot' ? [[act.vm, act.slot.hva >= 2 ** 40, act.slot.hva < 16 * M]] : [])),
      [
        [1, false, true],
        [0, true, false],
      ],
    );
  });
});

const SCRIPTED = { l1: 'hypervisor script  tables ept12 ept at 0x8000 { 0 +1M -> 4M }', l2: 'root ept12', run: 'run l1' } as const;
const SVM = {
  l1: 'mmu npt  hypervisor script  tables npt12 npt at 0x8000 { 0 +1M -> 4M }',
  l2: 'mmu npt  root npt12',
  run: 'run l1',
} as const;

function acts(parts: Parts): Partial<Act>[] {
  return programs(parts)[0].acts.map(({ origin: _, ...act }) => act);
}

describe('a hypervisor by script', () => {
  const by = { vm: 0, vcpu: 0 };
  it('enters, invalidates and writes fields', () => {
    const script = `vmcs.eptp = ept12\n vmcs.eptp = 0x9000 | 0x1e\n vmcs.vpid = 2\n vmcs.cr3 = 0x1000\n vmlaunch\n vmresume l2
      invept ept12\n invept 0x805e\n invept all\n invvpid vpid 1\n invvpid 0x1000 vpid 1\n invvpid all\n invvpid non_global vpid 1`;
    assert.deepEqual(acts({ ...SCRIPTED, script }), [
      { do: 'vmcs', by, guest: 1, field: 'eptp', value: 0x805en },
      { do: 'vmcs', by, guest: 1, field: 'eptp', value: 0x901en },
      { do: 'vmcs', by, guest: 1, field: 'vpid', value: 2n },
      { do: 'vmcs', by, guest: 1, field: 'cr3', value: 0x1000n },
      { do: 'vmenter', by, instruction: 'vmlaunch', guest: 1 },
      { do: 'vmenter', by, instruction: 'vmresume', guest: 1 },
      { do: 'invept', by, type: 1, eptp: 0x805en },
      { do: 'invept', by, type: 1, eptp: 0x805en },
      { do: 'invept', by, type: 2, eptp: 0n },
      { do: 'invvpid', by, type: 1, vpid: 1, address: 0n },
      { do: 'invvpid', by, type: 0, vpid: 1, address: 0x1000n },
      { do: 'invvpid', by, type: 2, vpid: 0, address: 0n },
      { do: 'invvpid', by, type: 3, vpid: 1, address: 0n },
    ]);
  });

  it('on AMD', () => {
    assert.deepEqual(acts({ ...SVM, script: 'vmcb.ncr3 = npt12\n vmcb.asid = 2\n vmcb.tlb_control = 1\n vmrun l2' }), [
      { do: 'vmcs', by, guest: 1, field: 'ncr3', value: 0x8000n },
      { do: 'vmcs', by, guest: 1, field: 'asid', value: 2n },
      { do: 'vmcs', by, guest: 1, field: 'tlb_control', value: 1n },
      { do: 'vmenter', by, instruction: 'vmrun', guest: 1 },
    ]);
  });

  it('the EPTP of tables has no A/D flag where the processor has none', () => {
    const text = `host { cpu { ept_ad off  pml off } }\n${nested({ ...SCRIPTED, script: 'invept ept12' })}`;
    const [act] = check(text).programs[0].acts;
    assert.equal(act.do === 'invept' && act.eptp, 0x801en);
  });

  it('works on the control structure of the guest that it entered last', () => {
    const text = `vm l1 { hypervisor script  slot 0 { gpa 0  size 16M }  vcpu { paging none }
      vm a { root 0x8000  slot 0 { gpa 0  size 1M }  vcpu { paging none } }
      vm b { root 0x9000  slot 0 { gpa 0  size 1M }  vcpu { paging none } } }
      run l1 { vmcs.vpid = 1\n vmlaunch b\n vmcs.vpid = 2 }`;
    assert.deepEqual(
      check(text).programs[0].acts.flatMap((act) => (act.do === 'vmcs' ? [act.guest] : [])), // prettier-ignore
      [1, 2],
    );
    check(text.replace('vmlaunch b', '⟦vmlaunch⟧'), ['which-vm: a, b']);
  });

  it('edits tables by name, from wherever', () => {
    const table = { format: 'ept', root: 0x8000 };
    const level2 = { do: 'edit', by, table, address: 0x5000n, level: 2, clear: (1n << 64n) - 1n, set: 0n };
    assert.deepEqual(acts({ ...SCRIPTED, script: 'ept12[0x5000 level 2] = 0' }), [level2]);
    assert.deepEqual(acts({ ...SCRIPTED, run: 'run l2', script: 'l1.ept12[0x5000 level 2] = 0' }), [level2]);
    assert.deepEqual(acts({ ...SCRIPTED, script: 'l2: l1.ept12[0x5000].writable = no' }), [
      { do: 'edit', by, table, address: 0x5000n, level: 0, clear: 2n, set: 0n },
    ]);
  });

  it('its guest acts where it is named', () => {
    const [first, second] = acts({ ...SCRIPTED, script: 'l2: user read 0x40\n read 0x40' });
    assert.deepEqual([first.do === 'access' && first.by, second.do === 'access' && second.by], [{ vm: 1, vcpu: 0 }, by]);
  });

  for (const [parts, script, problem] of [
    [{}, '⟦vmlaunch l2⟧', 'not-by-script: behaves as KVM'],
    [{}, '⟦vmcs.eptp = 0x805e⟧', 'not-by-script'],
    [{ ...SCRIPTED, run: 'run l2' }, '⟦vmlaunch l2⟧', 'not-a-hypervisor: l2 has no VM inside'],
    [{ ...SCRIPTED, run: 'run l2' }, '⟦vmcs.eptp = 0x805e⟧', 'not-a-hypervisor'],
    [{ ...SCRIPTED, l2: '' }, '⟦vmlaunch l2⟧', 'setting-missing: vmcs.eptp'],
    [SCRIPTED, '⟦vmrun l2⟧', 'other-vendor: AMD'],
    [SVM, '⟦vmlaunch l2⟧', 'other-vendor: vmrun'],
    [SVM, '⟦invept all⟧', 'other-vendor: TLB_CONTROL'],
    [SVM, '⟦vmcs⟧.cr3 = 1', 'other-vendor: VMCB'],
    [SCRIPTED, '⟦vmcb⟧.asid = 1', 'other-vendor: VMCS'],
    [SCRIPTED, '⟦vmcs⟧ = 1', 'not-loadable: fields'],
    [SCRIPTED, 'vmcs.⟦npt12⟧ = 1', 'unknown-word'],
    [{ ...SCRIPTED, l1: `${SCRIPTED.l1}  tables npt12 npt at 0x2_0000 { }` }, 'vmcs.eptp = ⟦npt12⟧', 'format-mismatch: npt tables'],
    [{ l1: 'hypervisor script', l2: 'mmu soft  root 0x8000' }, 'l1: vmcs.⟦eptp⟧ = 0x805e', 'no-effect: under soft'],
    [SCRIPTED, 'invvpid ⟦0x1000 vpid 0⟧'.replace('⟦0x1000 vpid 0⟧', '0x1000 vpid ⟦0⟧'), 'out-of-range: VPID 0'],
  ] as const) {
    it(`${script.replace(/[⟦⟧]/g, '')} is wrong: ${problem}`, () =>
      void check(nested({ ...parts, run: 'run' in parts ? parts.run : 'run l1', script }), [problem]));
  }

  it('may write the root before it enters', () => {
    check(nested({ ...SCRIPTED, l2: '', script: 'vmcs.eptp = ept12\n vmlaunch l2' }));
    check(nested({ l1: 'mmu soft  hypervisor script', l2: 'mmu soft', run: 'run l1', script: 'vmcs.cr3 = 0x8000\n vmlaunch l2' }));
  });
});

function expectations(parts: Parts, what: string): readonly Expectation[] {
  const script = `${parts.run === 'run l1' ? 'l2: ' : ''}read 0 expect ${what}`;
  return programs({ ...parts, script })[0].acts.flatMap((act) => (act.do === 'expect' ? [act.what] : []));
}

describe('expectations of nested runs', () => {
  const at = { vm: 1, address: 0x5000n, level: 0 } as const;
  for (const [run, what, expected] of [
    ['ept on ept', 'exits 2 from l2', { kind: 'exits', count: 2, reason: null, compare: '==', from: 1 }],
    ['ept on ept', 'exits >= 2 of VMRESUME from l1', { kind: 'exits', count: 2, reason: 'VMRESUME', compare: '>=', from: 0 }],
    ['ept on ept', 'l1.tdp[0x5000].writable = yes', { kind: 'entry', table: 'tdp12', ...at, mask: 2n, value: 2n }],
    ['ept on ept', 'tdp[0x5000].writable = yes', { kind: 'entry', table: 'tdp', ...at, mask: 2n, value: 2n }],
    ['npt on npt', 'l1.tdp[0x5000] present', { kind: 'absent', table: 'tdp12', ...at, not: true }],
    ['soft on ept', 'l1.shadow[0x5000] absent', { kind: 'absent', table: 'shadow12', ...at }],
    ['soft on ept', 'tdp[0x5000] absent', { kind: 'absent', table: 'tdp', ...at }],
    ['soft on soft', 'shadow[0x5000] absent', { kind: 'absent', table: 'shadow', ...at }],
    ['ept on ept', 'vmcs.eptp = 0x805e', { kind: 'control', vm: 1, field: 'eptp', value: 0x805en }],
    ['npt on npt', 'vmcb.ncr3 = 0x8000', { kind: 'control', vm: 1, field: 'ncr3', value: 0x8000n }],
    ['soft on soft', 'page 0x5000 tracked', { kind: 'page-state', vm: 1, gpa: 0x5000, state: 'tracked', not: false }],
    [
      'ept on ept',
      'events kvm_mmu_set_spte(gfn 5, actor L1)',
      { kind: 'events', events: [{ name: 'kvm_mmu_set_spte', fields: [{ name: 'gfn', value: 5n }, { name: 'actor', value: 'L1' }] }] }, // prettier-ignore
    ],
    ['ept on ept', 'events vmm_write(actor user)', { kind: 'events', events: [{ name: 'vmm_write', fields: [{ name: 'actor', value: 'user' }] }] }], // prettier-ignore
  ] as const) {
    it(`${what} under ${run}`, () => assert.deepEqual(expectations({ run: `run l2 under ${run}` }, what), [expected]));
  }

  it('on exits that are left to the script', () => {
    assert.deepEqual(expectations(SCRIPTED, 'exit EPT_VIOLATION'), [{ kind: 'vm-exit', reason: 'EPT_VIOLATION' }]);
    assert.deepEqual(expectations(SCRIPTED, 'exit'), [{ kind: 'vm-exit', reason: null }]);
    assert.deepEqual(expectations({ ...SCRIPTED, l2: 'mmu soft  root 0x8000' }, 'exit #PF'), [{ kind: 'vm-exit', reason: '#PF' }]);
  });

  for (const [run, what, problem] of [
    ['ept on ept', '⟦exit⟧', 'not-by-script: l1 behaves as KVM'],
    ['soft on ept', '⟦shadow⟧[0x5000] present', 'no-such-tables: under ept'],
    ['soft on ept', 'l1.⟦tdp⟧[0x5000] present', 'no-such-tables: under soft'],
    ['ept on ept', '⟦l2⟧.tdp[0x5000] present', 'not-a-hypervisor: l2'],
    ['ept on ept', 'events kvm_exit(actor ⟦7⟧)', 'unknown-field: L0, L1, L2'],
    ['ept on ept', '⟦vmcb⟧.asid = 1', 'other-vendor'],
    ['ept on ept', 'exits 1 from ⟦l3⟧', 'unknown-name'],
  ] as const) {
    it(`${what.replace(/[⟦⟧]/g, '')} under ${run} is wrong`, () =>
      void check(nested({ run: `run l2 under ${run}`, script: `read 0 expect ${what}` }), [problem]));
  }

  it('of tables that a script made go by their names', () => {
    check(nested({ ...SCRIPTED, script: 'l2: read 0 expect ⟦l1⟧.tdp[0] present' }), ['no-such-tables: have names']);
    assert.deepEqual(expectations(SCRIPTED, 'l1.ept12[0x5000 level 2] present'), [
      { kind: 'absent', table: { format: 'ept', root: 0x8000 }, vm: 0, address: 0x5000n, level: 2, not: true },
    ]);
  });

  it('say for which of several guests', () => {
    const text = (expect: string): string => `vm l1 { slot 0 { gpa 0  size 16M }  vcpu { paging none }
      vm a { slot 0 { gpa 0  size 1M }  vcpu { paging none } }
      vm b { slot 0 { gpa 0  size 1M }  vcpu { paging none } } }
      run l1 under ept { read 0 expect ok\n ${expect} }`;
    check(text('expect ⟦l1⟧.tdp[0] present'), ['which-vm: a, b']);
    check(text('b: expect l1.tdp[0] absent'));
    check(text('expect exits 0 from ⟦b⟧'), ['not-supported-yet: several guests']);
  });

  it('of sameness compare nested kinds', () => {
    const all = programs({
      run: 'run l2 under soft on soft, soft on ept, ept on ept',
      script: 'read 0\n same under soft on ept, ept on ept',
    });
    assert.deepEqual(
      all.map(({ acts }) => acts.some((act) => act.do === 'expect' && act.what.kind === 'same')),
      [false, true, true],
    );
    check(nested({ run: 'run l2 under ept on ept', script: 'read 0\n same ⟦under soft on soft⟧' }), ['never-runs']);
  });
});
