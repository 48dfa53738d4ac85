import assert from 'node:assert/strict';
import type { Expectation } from '../../../server/src/engine/program';
import { check, script } from '../check';

function expectations(what: string, under = 'under ept'): Expectation[] {
  return check(script(`user read 0x40_0000 expect ${what}`, under)).programs[0].acts.flatMap((act) =>
    act.do === 'expect' ? [act.what] : [],
  );
}

const TABLE = { format: '4-level', root: 0x1000 } as const;
const AT = { vm: 0, address: 0x40_0000n, level: 0 } as const;

describe('expectations become what the run is judged by', () => {
  const cases: readonly [string, readonly Expectation[], string?][] = [
    ['ok', [{ kind: 'ok' }]],
    ['#PF', [{ kind: 'page-fault', error: null }]],
    ['#PF()', [{ kind: 'page-fault', error: 0 }]],
    ['#PF(P W U)', [{ kind: 'page-fault', error: 7 }]],
    ['#PF(0x15)', [{ kind: 'page-fault', error: 0x15 }]],
    ['#GP', [{ kind: 'general-protection' }]],
    ['mmio', [{ kind: 'mmio', write: null }]],
    ['mmio write', [{ kind: 'mmio', write: true }]],
    ['error EFAULT', [{ kind: 'error', errno: 'EFAULT' }]],
    ['value -1', [{ kind: 'value', value: 0xffff_ffff_ffff_ffffn }]],
    ['gpa 0x20_0000', [{ kind: 'address', space: 'gpa', address: 0x20_0000 }]],
    ['hpa of gpa 0x20_0000', [{ kind: 'hpa-of-gpa', gpa: 0x20_0000 }]],
    ['exits <= 3 of EPT_VIOLATION', [{ kind: 'exits', count: 3, reason: 'EPT_VIOLATION', compare: '<=' }]],
    ['references 24', [{ kind: 'references', count: 24, compare: '==' }]],
    ['kernel[0x40_0000] = 0x20_0067', [{ kind: 'entry', table: TABLE, ...AT, mask: 0xffff_ffff_ffff_ffffn, value: 0x20_0067n }]],
    ['kernel[0x40_0000].writable = yes', [{ kind: 'entry', table: TABLE, ...AT, mask: 2n, value: 2n }]],
    ['kernel[0x40_0000 level 2] rw user not accessed', [{ kind: 'entry', table: TABLE, ...AT, level: 2, mask: 0x26n, value: 6n }]],
    ['kernel[0x40_0000] absent', [{ kind: 'absent', table: TABLE, ...AT }]],
    [
      'kernel[0x40_0000] present ro',
      [
        { kind: 'absent', table: TABLE, ...AT, not: true },
        { kind: 'entry', table: TABLE, ...AT, mask: 2n, value: 0n },
      ],
    ],
    ['tdp[0x40_0000] rw not x dirty', [{ kind: 'entry', table: 'tdp', ...AT, mask: 0x207n, value: 0x203n }]],
    ['tdp[0x40_0000] dirty', [{ kind: 'entry', table: 'tdp', ...AT, mask: 0x40n, value: 0x40n }], 'under npt'],
    ['tdp[0x40_0000].mmu_writable = on', [{ kind: 'entry', table: 'tdp', ...AT, mask: 1n << 58n, value: 1n << 58n }]],
    ['shadow[0x40_0000].host_writable = on', [{ kind: 'entry', table: 'shadow', ...AT, mask: 0x200n, value: 0x200n }], 'under soft'],
    ['tlb[0x40_0000] present', [{ kind: 'tlb', address: 0x40_0000n, present: true }]],
    ['tlb[0x40_0000] absent', [{ kind: 'tlb', address: 0x40_0000n, present: false }]],
    ['page 0x4123 write_protected', [{ kind: 'page-state', vm: 0, gpa: 0x4000, state: 'write-protected', not: false }]],
    ['page 0x4000 not unsync', [{ kind: 'page-state', vm: 0, gpa: 0x4000, state: 'unsync', not: true }]],
    ['word 0x5000 = 7', [{ kind: 'word', vm: 0, gpa: 0x5000, value: 7n }]],
    ['cr2 = 0x40_0000', [{ kind: 'register', register: 'cr2', mask: 0xffff_ffff_ffff_ffffn, value: 0x40_0000n }]],
    ['cr0.wp = on', [{ kind: 'register', register: 'cr0', mask: 0x1_0000n, value: 0x1_0000n }]],
    [
      'events kvm_exit(EPT_VIOLATION), kvm_page_fault(address 0x5000), kvm_mmu_get_page(new)',
      [
        {
          kind: 'events',
          events: [
            { name: 'kvm_exit', fields: [{ name: null, value: 'EPT_VIOLATION' }] },
            { name: 'kvm_page_fault', fields: [{ name: 'address', value: 0x5000n }] },
            { name: 'kvm_mmu_get_page', fields: [{ name: null, value: 'new' }] },
          ],
        },
      ],
    ],
  ];
  for (const [what, expected, under] of cases) it(what, () => assert.deepEqual(expectations(what, under), expected));

  it('of sameness stand in the programs that are to be compared', () => {
    const programs = check(script('read 0x40_0000\n same under soft, ept', 'under soft, ept, npt')).programs;
    const have = programs.map(({ acts }) => acts.some((act) => act.do === 'expect' && act.what.kind === 'same'));
    assert.deepEqual(have, [true, true, false]);
  });

  it('of dirty logs list pages', () => {
    const { acts } = check(script('host flags slot 0 log_dirty\n expect dirty slot 0 [0x6000, 0x5000 +8K]')).programs[0];
    const last = acts.at(-1);
    assert.deepEqual(last?.do === 'expect' && last.what, { kind: 'dirty', vm: 0, slot: 0, gpas: [0x5000, 0x6000] });
  });
});

describe('expectations that cannot be meant', () => {
  const cases: readonly [string, ...string[]][] = [
    ['⟦expect ok⟧', 'nothing-before'].map((each) => each.replace('⟦expect ok⟧', 'expect ⟦ok⟧')) as [string, string],
    ['read 0x40_0000 expect ok, ⟦#PF⟧', 'contradiction'],
    ['read 0x40_0000 expect ok expect ⟦mmio⟧', 'contradiction'],
    ['read 0x40_0000 expect ⟦#PF(RSVD)⟧', 'impossible-error-code: P'],
    ['read 0x40_0000 expect ⟦#PF(P W I)⟧', 'impossible-error-code'],
    ['read 0x40_0000 expect ⟦#PF(0x20)⟧', 'impossible-error-code: PK'],
    ['fetch 0x40_0000 expect ⟦value 7⟧', 'not-of-this-act'],
    ['cr0.wp = on expect ⟦#PF⟧', 'not-of-this-act: a register load'],
    ['host zap all expect ⟦mmio⟧', 'not-of-this-act: an act of the host'],
    ['read 0x40_0000 expect exits 1 of ⟦npf⟧', 'other-vendor'],
    ['read 0x40_0000 expect ⟦shadow⟧[0x40_0000] absent', 'no-such-tables: under soft'],
    ['read 0x40_0000 expect ⟦tlb[0x40_0000] dirty⟧', 'not-of-tlb'],
    ['read 0x40_0000 expect kernel[0x40_0000] rw ⟦ro⟧', 'contradiction'],
    ['read 0x40_0000 expect kernel[0x40_0000] ⟦rwx⟧', 'flag-not-here'],
    ['read 0x40_0000 expect kernel[0x40_0000].⟦readable⟧ = yes', 'unknown-bit'],
    ['read 0x40_0000 expect dirty slot ⟦7⟧ []', 'no-such-slot'],
    ['read 0x40_0000 expect dirty slot ⟦0⟧ []', 'no-dirty-log'],
    ['host flags slot 0 log_dirty expect dirty slot 0 [⟦16M⟧]', 'not-in-slot'],
    ['read 0x40_0000 expect events kvm_page_fault(⟦adress⟧ 5)', 'unknown-field: address'],
    ['read 0x40_0000 expect events kvm_mmu_get_page(⟦fresh⟧)', 'unknown-name'],
    ['read 0x40_0000 expect word ⟦0x5001⟧ = 7', 'not-aligned'],
    ['read 0x40_0000 expect exits ⟦-1⟧', 'out-of-range'],
  ];
  for (const [statements, ...codes] of cases) {
    it(statements.replace(/[⟦⟧]/g, ''), () => void check(script(statements, 'under ept'), codes));
  }

  it('an entry of tdp under soft', () => {
    check(script('read 0x40_0000 expect ⟦tdp⟧[0] absent', 'under soft, ept'), ['no-such-tables: ept, npt']);
    check(script('read 0x40_0000 expect tdp[0] absent under ept', 'under soft, ept'));
  });
});
