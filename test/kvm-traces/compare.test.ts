/** The comparator: a recording equals itself, one changed fact is told at its place and nowhere else, and what is accepted has its limits. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OWN } from '../../scripts/kvm-traces/cleaning';
import { compareLines, emptyComparison, readLines } from '../../scripts/kvm-traces/compare';
import { COMPARED } from '../../scripts/kvm-traces/compared-fields';
import type { FieldName } from '../../scripts/kvm-traces/compared-fields';
import type { Line } from '../../scripts/kvm-traces/lines';
import { MODES } from '../../scripts/kvm-traces/mode';
import type { Mode } from '../../scripts/kvm-traces/mode';
import { isVmx, readScenario } from '../../scripts/kvm-traces/scenario';

const SAMPLE = resolve(import.meta.dirname, 'recorded');

const RECORDED = MODES.flatMap((mode) =>
  readdirSync(join(SAMPLE, 'expected', mode)).map((file) => ({
    mode,
    vmx: isVmx(readScenario(readFileSync(join(SAMPLE, 'scenarios', file.replace(/ndjson$/, 'json')), 'utf8'))),
    lines: readLines(readFileSync(join(SAMPLE, 'expected', mode, file), 'utf8')),
  })),
);

/** Fields that differ, as `operation tier.field`. */
function differing(mode: Mode, recorded: readonly Line[], actual: readonly Line[], order = false, vmx = false): string[] {
  const comparison = emptyComparison();
  compareLines(recorded, actual, { mode, own: OWN[1], vmx, order }, comparison);
  return comparison.mismatches.map(({ op, tier, field }) => `${op} ${tier}.${field ?? '-'}`);
}

const line = (facts: Partial<Line>): Line => ({ s: 'made', m: 'npt0', i: 0, t: '', ...facts });
const same = (mode: Mode, recorded: Partial<Line>, actual: Partial<Line>, order = false, vmx = false): boolean =>
  differing(mode, [line(recorded)], [line(actual)], order, vmx).length === 0;

/** Another fact in place of the first one. */
function changed(field: FieldName, value: unknown): unknown {
  if (field === 'v') return '0x1';
  if (!Array.isArray(value)) return { ...(value as object), [Object.keys(value as object)[0]]: field === 'x' ? 99 : null };
  if (field === 'ret') return ['CONTINUE', ...value.slice(1)];
  const [first, ...rest] = value as unknown[];
  if (Array.isArray(first))
    return [[first[0], field === 'l1' || field === 'inj' || field === 'f' ? '0x777' : 77, ...first.slice(2)], ...rest];
  return ['0x7770000', ...rest];
}

/** Compared of recordings of nested VMX alone. */
const OF_VMX: ReadonlySet<FieldName> = new Set(['sp', 'vis2']);

describe('comparison with a recording', () => {
  it('finds every recording equal to itself', () => {
    for (const { mode, lines, vmx } of RECORDED) assert.deepEqual(differing(mode, lines, lines, true, vmx), []);
  });

  for (const [field, { tier }] of COMPARED) {
    // Digests have those of tiers R and F (digest.test.ts).
    if (tier === 'R' || tier === 'F') continue;
    it(`tells one changed fact of ${field}, and nothing else`, () => {
      const isThere = (each: Line): boolean => Object.keys(each[field] ?? {}).length > 0;
      const known = RECORDED.find(
        ({ lines, vmx }) =>
          (vmx || !OF_VMX.has(field)) && lines.some((each) => isThere(each) && (field !== 'l1' || each.l1?.[0][0] === '0x400')),
      );
      assert.ok(known, 'the sample has such a fact');
      const at = known.lines.find((each) => isThere(each) && (field !== 'l1' || each.l1?.[0][0] === '0x400'));
      assert.ok(at);
      const actual = known.lines.map((each) => (each === at ? { ...each, xl: undefined, [field]: changed(field, each[field]) } : each));
      assert.deepEqual(differing(known.mode, known.lines, actual as Line[], false, known.vmx), [`${at.i} ${tier}.${field}`]);
    });
  }

  it('tells operations that are missing or too many', () => {
    const [first, second] = [line({}), line({ i: 1 })];
    assert.deepEqual(differing('npt0', [first, second], [first]), ['1 A.-', '1 B.-', '1 C.-']);
    assert.deepEqual(differing('npt0', [first], [first, second]), ['1 A.-', '1 B.-', '1 C.-']);
  });

  it('leaves out what the interpreter of the recorded guest does for itself', () => {
    assert.ok(same('npt0', {}, { map: [['0x11', 1, 'rwx-']], new: [['0x102', 2, 'w-x']], track: ['0x102'], A: ['0x101008'] }));
    assert.ok(same('npt0', { x: {} }, { xl: [['PF', '0x2', '0xffffffff8002ff68']] }));
    assert.ok(same('npt1-tdp1', { x: {} }, { xl: [['NPF', '0x100000006', '0x2ff68']] }));
    assert.ok(!same('npt0', { x: {} }, { xl: [['PF', '0x2', '0xffffffff80112000']] }));
    assert.ok(!same('npt0', {}, { map: [['0x112', 1, 'rwx-']] }));
  });

  it('takes lists of tier C as sets, or as sequences with --order', () => {
    const [a, b] = [['0x110'], ['0x111']].map(([gfn]) => gfn);
    assert.ok(same('npt0', { track: [a, b] }, { track: [b, a, a] }));
    assert.ok(!same('npt0', { track: [a, b] }, { track: [b, a] }, true));
    assert.ok(!same('npt0', { ret: ['FIXED'] }, { ret: ['FIXED', 'FIXED'] }));
  });

  it('accepts P beside RSVD where an emulated AMD processor left it out, and no other error code', () => {
    const fault = (code: string): Partial<Line> => ({ f: [[14, code, '0x1000']] });
    assert.ok(same('npt0', fault('0xa'), fault('0xb')));
    assert.ok(!same('npt0', fault('0xb'), fault('0xa')));
    assert.ok(!same('npt0', fault('0xa'), fault('0x9')));
    assert.ok(!same('npt0', fault('0x2'), fault('0x3')));
    assert.ok(!same('ept0', fault('0xa'), fault('0xb')));
  });

  it('compares EXITINFO of an exit to L1 only where the recorded processor fills it', () => {
    const exit = (code: string, info: string): Partial<Line> => ({ l1: [[code, info, '0x0']] });
    for (const code of ['0x10', '0x79', '0x81', '0xffffffffffffffff']) assert.ok(same('npt0', exit(code, '0x0'), exit(code, '0x5')));
    assert.ok(!same('npt0', exit('0x400', '0x4'), exit('0x400', '0x6')));
    assert.ok(!same('npt0', exit('0x79', '0x0'), exit('0x81', '0x0')));
  });

  it('leaves out how a hypervisor that uses VMX sets its VMCS up, and what it reads of its processor', () => {
    const setUp = { xl: [['VMWRITE'], ['MSR'], ['VMRESUME'], ['L2:PF', '0x2', '0xffffffff8002ff68']] };
    assert.ok(same('ept0', { x: { VMRESUME: 1, 'L2:PF': 1 } }, setUp, false, true));
    assert.ok(!same('ept0', { x: { VMRESUME: 1, 'L2:PF': 1 } }, setUp));
    assert.ok(same('ept0', { t: 'RDMSR 480', v: '0x1' }, { t: 'RDMSR 480', v: '0x2' }, false, true));
    assert.ok(!same('ept0', { t: 'INVEPT 3 0', v: '0x1' }, { t: 'INVEPT 3 0', v: '0x0' }, false, true));
  });

  it('accepts reads beside the write of an access to a guest’s table, which an emulated Intel processor leaves out', () => {
    const exit = (qualification: string): Partial<Line> => ({ l1: [['0x30', qualification, '0x80000']] });
    assert.ok(same('ept1-tdp1', exit('0xaa'), exit('0xab'), false, true));
    assert.ok(!same('ept1-tdp1', exit('0xab'), exit('0xaa'), false, true));
    assert.ok(!same('ept1-tdp1', exit('0x182'), exit('0x183'), false, true));
    assert.ok(same('ept1-tdp1', { v: '0xe9700aa' }, { v: '0xe9700ab' }, false, true));
    assert.ok(!same('ept1-tdp1', { v: '0xaa' }, { v: '0xab' }, false, true));
  });
});
