/** Ways of addresses of real runs: tables in hardware, what caches hold, and the sentence that says why an access ends as it does. */
import { strict as assert } from 'node:assert';
import { runScript } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import { bitNames } from '../../server/src/events/entry-text';
import type { TableWalk, TranslationView } from '../../server/src/protocol/translation';
import { cameToText } from '../../server/src/views/came-to';
import { stepDetail } from '../../server/src/views/detail';
import type { RunView } from '../../server/src/views/view';
import { translate } from '../../server/src/views/way/way';

function runs(text: string): readonly RunView[] {
  const script = openScript(text, 'file:///way.mmu', { read: () => null });
  assert.deepEqual(
    script.problems.filter(({ severity }) => severity === 'error').map(({ message }) => message),
    [],
  );
  return runScript(script, {});
}

const GUEST = `
  slot 0 { gpa 0  size 16M  hva 0x7f00_0000_0000 }
  tables kernel at 0x1000 {
    0x40_0000 +8K -> 0x20_0000 rw user
    0x50_0000 +4K -> 0x30_0000 ro user
  }`;
const run = (kind: string, script: string, vcpu = '', host = ''): RunView =>
  runs(`host { ${host} }\nvm guest {${GUEST}\n  vcpu { cr3 kernel ${vcpu} }\n}\nrun guest under ${kind} {\n${script}\n}\n`)[0];

const at = (view: RunView, address: bigint, vm = 0): TranslationView =>
  translate(view, { position: view.record.length, vm, vcpu: 0 }, address, 'gva');
const labels = (walk: TableWalk | null): readonly string[] => walk?.entries.map(({ label }) => label) ?? [];
const hpa = ({ stations }: TranslationView): string | null => stations.at(-1)!.address;

describe('tables in hardware', () => {
  it('stand beneath each table of the guest, and beneath the page', () => {
    const way = at(run('ept', 'user read 0x40_0000'), 0x40_0123n);
    const [pt] = way.walks;
    assert.deepEqual(
      [way.walks.length, pt.table, labels(pt), labels(pt.then)],
      [1, 'PT', ['PML4', 'PDPT', 'PD', 'PT'], ['EPT4', 'EPT3', 'EPT2', 'EPT1']],
    );
    for (const entry of pt.entries) assert.deepEqual(labels(entry.via), ['EPT4', 'EPT3', 'EPT2', 'EPT1']);
    assert.equal(pt.then!.to!.address, hpa(way));
    assert.equal(bitNames(pt.then!.entries[3].bits), 'R W X MT=6 IPAT A D host-W MMU-W');
  });

  it('say which entries they have not got', () => {
    const way = at(run('ept', 'user read 0x40_0000'), 0x40_1000n);
    assert.equal(way.walks[0].then!.to, null);
    assert.equal(way.walks[0].then!.entries.at(-1)!.note, 'not present');
    assert.equal(way.walks[0].then!.entries.at(-1)!.decides, 'exit');
    assert.match(way.outcome, /^→ hpa 0x\S+ · exits first: EPT violation: EPT1\[1\] is not present$/);
  });

  it("are shadow tables under soft MMU, walked beside the guest's", () => {
    const way = at(run('soft', 'user read 0x40_0000'), 0x40_0123n);
    const [pt, spt] = way.walks;
    assert.deepEqual([pt.by, spt.by, spt.table, labels(spt)], ['L0', 'processor', 'SPT', ['PML4', 'PDPT', 'PD', 'PT']]);
    assert.equal(bitNames(spt.entries[3].bits), 'P U/S A host-W');
    assert.equal(spt.to!.address, hpa(way));
  });
});

describe('a cached translation', () => {
  it('is shown with its page and rights, and spares all reads', () => {
    const way = at(run('ept', 'user write 0x40_0000'), 0x40_0123n);
    assert.equal(way.cached!.text, `TLB L1: page of 4K, user rwx, dirty → hpa ${hpa(way)}`);
    assert.deepEqual([way.cached!.serves, way.cached!.stale], [true, null]);
    assert.deepEqual([...new Set(way.walks[0].entries.map(({ state }) => state))], ['cached']);
  });

  for (const kind of ['soft', 'ept', 'npt']) {
    it(`is what counts when it is stale, and is called so (${kind})`, () => {
      const view = run(
        kind,
        'user write 0x40_0000 = 1\n  user write 0x50_0000 = 2\n  kernel[0x40_0000] = 0x30_0067'.replace('  user write 0x50_0000 = 2\n', ''),
      );
      const way = at(view, 0x40_0008n);
      const { result } = view.record.outcomes[0];
      assert.ok(result.kind === 'ok' && kind !== 'soft' ? result.hpa !== null : true);
      if (kind === 'soft') return;
      assert.equal(BigInt(hpa(way)!.replaceAll('_', '')), BigInt((result as { hpa: number }).hpa) + 8n);
      assert.match(way.cached!.stale!, /^the tables lead to hpa 0x/);
      assert.deepEqual(
        way.stations.map(({ space, links }) => [space, ...links.map(({ label }) => label)].join(' ')),
        ['GVA', 'GPA TLB', 'HVA slot 0', 'HPA host page of 4K'],
      );
      assert.equal(way.stations[1].address, '0x20_0008');
    });
  }

  it('of another page does not serve, nor one that does not allow the access', () => {
    const view = run('ept', 'user read 0x40_0000');
    assert.equal(at(view, 0x40_1000n).cached, null);
    const way = translate(view, { position: view.record.length, vm: 0, vcpu: 0 }, 0x40_0000n, 'gva', 5);
    assert.equal(way.cached!.serves, false);
    assert.match(way.outcome, /^→ hpa/);
  });

  it('of a part of the way is what the processor starts from', () => {
    const way = at(run('ept', 'user read 0x40_0000'), 0x40_1000n);
    assert.deepEqual(
      way.walks[0].entries.map(({ label, state, reference }) => [label, state, reference]),
      [
        ['PML4', 'cached', null],
        ['PDPT', 'cached', null],
        ['PD', 'cached', null],
        ['PT', 'read', 1],
      ],
    );
    // Pages of 2M: the second stage has all of them after the first touch.
    const script = 'user read 0x40_0000\n  word 0x9008 = 0x20_5067\n  word 0x3010 = 0x9067';
    const stale = run('ept', script, '', 'pages 2M');
    const old = at(stale, 0x40_1000n);
    assert.equal(old.walks[0].entries[3].at, '0x4008');
    assert.ok(old.notes.includes('a paging-structure cache is stale'));
  });
});

/** What the last statement came to, in one line. */
const why = (view: RunView): string => cameToText(view, view.record.outcomes.filter(({ result }) => result.kind !== 'expectation').at(-1)!);

describe('the sentence of an outcome', () => {
  const RULES: readonly (readonly [name: string, sentence: string, script: string, vcpu?: string, host?: string])[] = [
    ['an entry is not present', '#PF(U): PT[2].P = 0', 'user read 0x40_2000'],
    ['a table is not there', '#PF(W): PDPT[1].P = 0', 'write 0x4000_0000'],
    ['the page is read-only to users', '#PF(P W U): PT[256].R/W = 0, user write', 'user write 0x50_0000'],
    [
      'the page is read-only, and the supervisor heeds it',
      '#PF(P W): PT[256].R/W = 0 with CR0.WP = 1, supervisor write',
      'write 0x50_0000',
    ],
    [
      'the highest entry that denies is named',
      '#PF(P U): PD[2].U/S = 0, user read',
      'kernel[0x40_0000 level 2].user = no\nuser read 0x40_0000',
    ],
    ['bit 63', '#PF(P U I): PT[0].XD = 1, user fetch', 'kernel[0x40_0000].nx = yes\nuser fetch 0x40_0000'],
    ['SMEP', '#PF(P I): PT[0].U/S = 1 with CR4.SMEP = 1, supervisor fetch', 'fetch 0x40_0000', 'cr4.smep on'],
    ['SMAP', '#PF(P): PT[0].U/S = 1 with CR4.SMAP = 1 and EFLAGS.AC = 0, supervisor read', 'read 0x40_0000', 'cr4.smap on'],
    [
      'an address bit too high',
      '#PF(P U RSVD): bit 51 of PD[2] is above MAXPHYADDR (46)',
      'word 0x3010 = 0x8_0000_0000_4067\nuser read 0x40_0000',
    ],
    [
      'bit 63 without NXE',
      '#PF(P U RSVD): bit 63 (XD) of PT[0] is set while EFER.NXE = 0',
      'word 0x4000 = 0x8000_0000_0020_0067\nuser read 0x40_0000',
      'efer.nxe off',
    ],
    [
      'a page of no size',
      '#PF(P U RSVD): PS (bit 7) of PML4[0] is set, and there is no page of that size',
      'word 0x1000 = 0x20e7\nuser read 0x40_0000',
    ],
    [
      'an address inside the page',
      '#PF(P U RSVD): bit 13 of PD[2] is set, an address bit inside its page of 2M',
      'word 0x3010 = 0x20_20e7\nuser read 0x40_0000',
    ],
    ['not canonical', '#GP: the address is not canonical', 'read 0x8000_0000_0000'],
    ['no slot', 'MMIO write: gpa 0xd000_0000 is in no slot', 'word 0x4000 = 0xd000_0067\nuser write 0x40_0000'],
  ];
  for (const [name, sentence, script, vcpu, host] of RULES) {
    for (const kind of ['soft', 'ept', 'npt']) {
      it(`${name} (${kind})`, () => assert.equal(why(run(kind, script, vcpu, host)), sentence));
    }
  }

  it('is of a table in no slot, which KVM emulates where it does not shadow it', () => {
    const script = 'word 0x3010 = 0xd000_0067\nuser read 0x40_0000';
    assert.equal(why(run('soft', script)), '#PF(U): PT[0] lies at 0xd000_0000, where no memory is');
    assert.equal(why(run('ept', script)), 'MMIO read: gpa 0xd000_0000 is in no slot');
  });

  it('names the protection key', () => {
    const view = run('ept', 'word 0x4000 = 0x1800_0000_0020_0067\nuser write 0x40_0000', 'cr4.pke on  pkru 0x80');
    assert.equal(why(view), '#PF(P W U PK): PT[0] has key 3, which has WD in PKRU, user write');
  });

  it('is of a read-only slot', () => {
    const [view] = runs(`vm guest {
  slot 0 { gpa 0  size 1M }
  slot 1 { gpa 1M  size 64K  readonly }
  tables kernel at 0x1000 { 0x40_0000 +4K -> 1M rw user }
  vcpu { cr3 kernel }
}
run guest under ept { user write 0x40_0000 }`);
    assert.equal(why(view), 'MMIO write: slot 1 is read-only');
  });

  const L1 = (kind: string, tables: string, script: string): RunView =>
    runs(`vm l1 {
  mmu ${kind}
  hypervisor script
  slot 0 { gpa 0  size 32M }
  tables t12 ${kind === 'soft' ? '' : kind} at 0x8000 { ${tables} }
  vcpu { paging none }
  vm l2 {
    mmu ${kind}
    root t12
    slot 0 { gpa 0  size 1M  hva 0x40_0000 }
    tables process at 0x1000 { 0x40_0000 +8K -> 0x5_0000 rw user }
    vcpu { cr3 process }
  }
}
run l1 {
  ${kind === 'npt' ? 'vmrun' : 'vmlaunch'} l2
  ${script}
}`)[0];
  const DENIED: readonly (readonly [string, string, string, string])[] = [
    ['ept', '0 +320K -> 0x40_0000   0x5_0000 +4K -> 0x45_0000 ro', 'l2: user write 0x40_0000', 'EPT12 EPT1[80] has no W'],
    ['ept', '0 +320K -> 0x40_0000   0x5_0000 +4K -> 0x45_0000 r', 'l2: user fetch 0x40_0000', 'EPT12 EPT1[80] has no X'],
    ['ept', '0 +320K -> 0x40_0000', 'l2: user read 0x40_0000', 'EPT12 EPT1[80] is not present'],
    ['ept', '0 +12K -> 0x40_0000', 'l2: user read 0x40_0000', 'EPT12 EPT1[3] is not present, reading PT2 PD[2]'],
    ['npt', '0 +320K -> 0x40_0000   0x5_0000 +4K -> 0x45_0000 ro', 'l2: user write 0x40_0000', 'NPT12 NPT1[80].R/W = 0, user write'],
    ['soft', '0x40_0000 +4K -> 0x45_0000 ro user', 'l2: user write 0x40_0000', 'SPT12 PT[0].R/W = 0, user write'],
    ['soft', '0x40_0000 +4K -> 0x45_0000 rw user', 'l2: user read 0x40_1000', 'SPT12 PT[1].P = 0'],
  ];
  for (const [kind, tables, script, sentence] of DENIED) {
    it(`is of L1's tables when L1 gets the exit: ${sentence}`, () =>
      assert.match(why(L1(kind, tables, script)), new RegExp(`^exit .*: ${sentence.replace(/[[\]./]/g, '\\$&')}$`)));
  }

  it('is nothing more than what happened where KVM does not follow the architecture', () => {
    // A write with AC = 1 leaves a shadow entry that serves a read with AC = 0 (docs/model.md).
    const view = run('soft', 'write 0x50_0000 ac on\nread 0x50_0000 ac off', 'cr0.wp off  cr4.smap on');
    assert.match(why(view), /^→ hpa 0x/);
  });
});

describe('before and after', () => {
  it('a step says what an entry was', () => {
    const view = run('soft', 'user read 0x40_0000');
    const step = view.steps.rows(0, view.steps.length).find(({ event }) => event === 'kvm_mmu_set_spte')!;
    const { before, after } = stepDetail(view, step.step)!.ways!;
    const leaf = (way: TranslationView) => way.walks[1].entries[3];
    assert.deepEqual([leaf(before).value, leaf(before).was, before.walks[1].to], ['0x0', null, null]);
    assert.equal(leaf(after).was, '0x0');
    assert.equal(after.walks[1].to!.address, hpa(after));
    assert.equal(before.now!.kind, 'exit');
    assert.equal(after.now!.kind, 'ok');
  });

  it('a statement is shown before all of it and after all of it', () => {
    const view = run('ept', 'user write 0x40_0000\n  user write 0x50_0000');
    const detail = (origin: number) => stepDetail(view, view.steps.stepOfOrigin(origin)!)!;
    const [one, two] = view.record.outcomes.map(({ origin }) => origin);
    const first = detail(one);
    assert.deepEqual([first.ways!.before.now, first.ways!.after.now!.kind], [null, 'ok']);
    assert.equal(first.ways!.after.access, 'user write');
    assert.deepEqual(
      first.ways!.after.walks[0].entries.map(({ was, value }) => [was, value]),
      [
        ['0x2007', '0x2027'],
        ['0x3007', '0x3027'],
        ['0x4007', '0x4027'],
        ['0x20_0007', '0x20_0067'],
      ],
    );
    const second = detail(two);
    assert.equal(second.statement!.verdict!.why, 'PT[256].R/W = 0, user write');
    assert.equal(second.ways!.after.end.kind, 'fault');
  });
});
