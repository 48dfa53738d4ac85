import assert from 'node:assert/strict';
import { check, script, vm } from '../check';

describe('settings', () => {
  for (const [text, code] of [
    ['host { memory ⟦4⟧ }', 'out-of-range: memory is 1M to'],
    ['host { memory ⟦0x123456⟧ }', 'out-of-range: a multiple of 4K'],
    ['host { pages ⟦8K⟧ }', 'out-of-range: 4K, 2M, 1G'],
    ['host { maxphyaddr ⟦60⟧ }', 'out-of-range: 36 to 52'],
    ['host { tlb { l1 ⟦15⟧ x 4 } }', 'out-of-range: power of two'],
    ['host { tlb { l1 16 x ⟦0⟧ } }', 'out-of-range: the number of ways'],
    ['host { tlb ⟦7⟧ }', 'not-a-switch'],
    ['host { kvm { cached_roots ⟦4⟧ } }', 'out-of-range: 0 to 3'],
    ['host { cpu { ept_ad off  ⟦pml on⟧ } }', 'feature-conflict'],
    ['host { memory 1M  ⟦memory 2M⟧ }', 'set-twice'],
    ['host { }\n⟦host⟧ { }', 'set-twice'],
    ['budget { steps ⟦0⟧ }', 'out-of-range'],
    ['host { maxphyaddr 36  ⟦memory 1T⟧ }', 'out-of-range: does not fit in 36 bits'],
  ]) {
    it(text.replace(/[⟦⟧]/g, ''), () => void check(text, [code]));
  }

  it('that are not written have the defaults of the reference', () => {
    const { host } = check(script('read 0x40_0000')).programs[0].machine;
    assert.equal(host.memory, 2 ** 30);
    assert.equal(host.maxPhyAddr, 46);
    assert.deepEqual(host.tlb, { on: true, l1: { sets: 16, ways: 4 }, l2: { sets: 128, ways: 8 }, pagingStructureEntries: 32 });
    assert.equal(host.kvm.cachedRoots, 3);
    assert.equal(host.kvm.kernel, '6.1');
    assert.equal(host.features.eptAd, true);
  });

  it('memory is what the slots need, those that the script makes too, unless it is written', () => {
    const memory = (text: string): number => check(text).programs[0].machine.host.memory;
    const guest = (slot: string, script = 'read 0'): string => `vm guest { ${slot}  vcpu { paging none } }\nrun guest { ${script} }`;
    assert.equal(memory(guest('slot 0 { gpa 0  size 700M }')), 2 ** 30);
    assert.equal(memory(guest('slot 0 { gpa 0  size 1G }')), 2 ** 31);
    assert.equal(memory(guest('slot 0 { gpa 0  size 100G  pages 1G }')), 2 ** 38);
    assert.equal(memory(guest('slot 0 { gpa 0  size 16M }', 'host create slot 1 { gpa 1G  size 2G }')), 2 ** 32);
    assert.equal(memory(`host { memory 1G }\n${guest('slot 0 { gpa 0  size 2G }')}`), 2 ** 30);
    // Memory of a guest's guest is part of that guest's.
    const nested =
      'vm l1 { slot 0 { gpa 0  size 700M }  vcpu { paging none }  vm l2 { slot 0 { gpa 0  size 600M }  vcpu { paging none } } }';
    assert.equal(memory(`${nested}\nrun l2 { read 0 }`), 2 ** 30);
  });

  it('la57 is on exactly when 5-level paging is used, unless it is written', () => {
    const la57 = (text: string): boolean => check(text).programs[0].machine.host.features.la57;
    const wide = `${vm('tables wide 5-level at 0x1000 { 0 +4K -> 0x9000 }\n vcpu { paging 5-level }')}run guest { read 0 }`;
    const tables = `${vm('tables _wide 5-level at 0x1000 { 0 +4K -> 0x9000 }\n vcpu { paging none }')}run guest { read 0 }`;
    assert.equal(la57(script('read 0x40_0000')), false);
    assert.equal(la57(wide), true);
    assert.equal(la57(tables), true);
    assert.equal(la57(`host { cpu { la57 on } }\n${script('read 0x40_0000')}`), true);
    assert.equal(la57(`host { cpu { la57 off } }\n${tables}`), false);
  });

  it('that are written are taken', () => {
    const { host } = check(
      `host { memory 64M  tlb off  cpu { nx off }  kvm { kernel 6.12  prefetch off } }\n${vm('vcpu { paging none }')}run guest { read 0 }`,
    ).programs[0].machine;
    assert.equal(host.memory, 2 ** 26);
    assert.equal(host.tlb.on, false);
    assert.equal(host.features.nx, false);
    assert.equal(host.kvm.prefetch, false);
    assert.equal(host.kvm.kernel, '6.12');
  });

  it('the vendor follows from EPT and NPT, else from the setting', () => {
    const vendors = (text: string): string[] => check(text).programs.map(({ machine }) => machine.host.vendor);
    assert.deepEqual(vendors(script('read 0x40_0000', 'under soft, ept, npt')), ['intel', 'intel', 'amd']);
    assert.deepEqual(vendors(`host { cpu { vendor amd } }\n${script('read 0x40_0000', 'under soft, ept, npt')}`), ['amd', 'intel', 'amd']);
  });
});

describe('slots', () => {
  const paging = 'vcpu { paging none }';
  for (const [slots, code] of [
    ['slot 0 { gpa 0 size 16M }\nslot 1 { gpa ⟦8M⟧ size 16M }', 'slot-overlap: EEXIST'],
    ['slot ⟦0⟧ { gpa 0 size 9_223_372_036_854_775_808 }', 'slot-refused: EINVAL'],
    ['slot 0 { gpa ⟦0x100⟧ size 4K }', 'slot-refused: guest_phys_addr'],
    ['slot 0 { gpa 0 size ⟦100⟧ }', 'slot-refused: EINVAL'],
    ['slot 0 { gpa 0 size 4K hva ⟦0x8000_0000_0000⟧ }', 'slot-refused: user space'],
    ['slot ⟦32764⟧ { gpa 0 size 4K }', 'slot-refused: EINVAL'],
    ['slot 0 { gpa 0xffff_ffff_ffff_f000 size ⟦8K⟧ }', 'slot-refused: EINVAL'],
    ['slot ⟦0⟧ { size 4K }', 'setting-missing: gpa'],
    ['slot ⟦0⟧ { gpa 0 }', 'setting-missing: size'],
    ['slot 0 { gpa 0 size 4K }\nslot ⟦0⟧ { gpa 1M size 4K }', 'slot-twice'],
    ['slot 0 { gpa 0 size 4K populated ⟦untouched⟧ }', 'feature-conflict'],
    ['slot 0 { gpa ⟦-4K⟧ size 4K }', 'out-of-range: not negative'],
    ['slot 0 { gpa 0 size 0x1000 pages ⟦5K⟧ }', 'out-of-range: 4K, 2M, 1G'],
  ]) {
    it(slots.replace(/[⟦⟧]/g, ''), () => void check(`vm guest { ${slots}\n${paging} }`, [code]));
  }

  for (const [slot, fix] of [
    ['slot 0 { gpa ⟦0x1234⟧ size 4K }', '0x1000'],
    ['slot 0 { gpa 0 size ⟦5000⟧ }', '8K'],
    ['slot 0 { gpa 0 size 4K hva ⟦0x7f00_0000_0123⟧ }', '0x7f00_0000_0000'],
    ['slot 0 { gpa 0 size 4K }\nslot 1 { gpa 8K size 4K }\nslot 2 { gpa ⟦0⟧ size 8K }', '0x3000'],
    ['slot 0 { gpa 0 size 16K }\nslot 1 { gpa ⟦4K⟧ size 4K }\nslot 2 { gpa 16K size 4K }', '0x5000'],
    ['const a = 4K\nslot 0 { gpa 0 size 16K }\nslot 1 { gpa ⟦a⟧ size 4K }', null],
    ['slot 0 { gpa 0 size 4K hva ⟦0x8000_0000_0000⟧ }', null],
  ] as const) {
    it(`${slot.replace(/[⟦⟧]/g, '')} is mended by ${fix ?? 'nothing plain'}`, () => {
      const code = slot.includes('slot 1') ? 'slot-overlap' : 'slot-refused';
      const [problem] = check(`vm guest { ${slot}\n${paging} }`, [code]).problems;
      assert.deepEqual(problem.fixes?.map(({ text }) => text) ?? [], fix === null ? [] : [fix]);
    });
  }

  it('two slots may share memory of the VMM', () => {
    check(`vm guest { slot 0 { gpa 0 size 1M hva 0x7f00_0000_0000 }\n slot 1 { gpa 1M size 1M hva 0x7f00_0000_0000 }\n ${paging} }`);
  });

  it('without hva get addresses that leave large pages possible', () => {
    const text = `vm guest { for i in 0 .. 2 { slot i { gpa i * 3M + 1M size 2M } }\n ${paging} }\nrun guest { read 0 }`;
    const { slots } = check(text).programs[0].machine.vms[0];
    assert.deepEqual(
      slots.map(({ id, gpa }) => [id, gpa]),
      [
        [0, 2 ** 20],
        [1, 4 * 2 ** 20],
        [2, 7 * 2 ** 20],
      ],
    );
    for (const slot of slots) assert.equal((slot.hva - slot.gpa) % 2 ** 21, 0);
    for (let i = 1; i < slots.length; i++) assert.ok(slots[i].hva >= slots[i - 1].hva + slots[i - 1].size);
  });
});

describe('vCPUs', () => {
  for (const [settings, code, host = ''] of [
    ['paging 32-bit ⟦cr4.pcide on⟧', 'register-refused: 64-bit mode'],
    ['⟦cr4.smep on⟧', 'register-refused: no smep', 'host { cpu { smep off } }'],
    ['⟦paging 5-level⟧', 'register-refused: la57', 'host { cpu { la57 off } }'],
    ['⟦efer.nxe on⟧', 'register-refused: nx', 'host { cpu { nx off } }'],
    ['cr3 ⟦0x4000_0000_0000⟧', 'register-refused: MAXPHYADDR'],
    ['cr3 ⟦0x1001⟧', 'cr3-low-bits'],
    ['cr3 ⟦0x8000_0000⟧', 'not-in-slot'],
    ['pkru ⟦0x1_0000_0000⟧', 'out-of-range'],
  ] as const) {
    it(
      settings.replace(/[⟦⟧]/g, ''),
      () => void check(`${host}\n${vm(`vcpu { ${settings.includes('cr3') ? '' : 'cr3 0x1000'} ${settings} }`)}`, [code]),
    );
  }

  it('have the only tables of their mode as CR3', () => {
    const text = (tables: string): string => `${vm(`${tables}\n vcpu { }`)}run guest { read 0 }`;
    assert.equal(check(text('tables a at 0x5000 { 0 +4K -> 0 }')).programs[0].machine.vms[0].vcpus[0].cr3, 0x5000n);
    check(text('tables a at 0x5000 { }\n tables b at 0x6000 { }').replace('vcpu', '⟦vcpu⟧'), ['setting-missing: several']);
    check(text('').replace('vcpu', '⟦vcpu⟧'), ['setting-missing: no tables']);
  });

  it('must have tables of their mode', () => {
    check(vm('tables a pae at 0x5000 { }\n vcpu { cr3 ⟦a⟧ }'), ['format-mismatch: pae']);
  });

  it('a VM without one has one', () => {
    const text = `${vm('tables a at 0x5000 { 0 +4K -> 0 }')}run guest { read 0 }`;
    assert.equal(check(text).programs[0].machine.vms[0].vcpus.length, 1);
  });
});

describe('nesting', () => {
  const nested = (l1: string, l2: string, run: string): string =>
    `vm l1 { mmu ${l1}\n slot 0 { gpa 0 size 16M }\n vcpu { paging none }\n vm l2 { mmu ${l2}\n slot 0 { gpa 0 size 1M hva 8M }\n vcpu { paging none } } }\n${run} { read 0 }`;

  it('of a hard MMU on a soft one is impossible', () => {
    check(nested('soft', 'ept', 'run ⟦l2⟧'), ['impossible-nesting: nested EPT']);
    check(nested('soft', 'soft', 'run l2 under soft on ept, ⟦ept on soft⟧'), ['impossible-nesting: nested EPT']);
  });

  it('of both vendors is impossible', () => {
    check(nested('ept', 'npt', 'run ⟦l2⟧'), ['mixed-vendors']);
  });

  it('has as many levels as there are VMs', () => {
    check(script('read 0x40_0000', 'under ⟦soft on ept⟧'), ['too-many-levels']);
  });

  it('settings of a VM inside a VM are for those', () => {
    check(vm('⟦vmcs 0x1000⟧\n vcpu { paging none }'), ['not-nested']);
  });
});
