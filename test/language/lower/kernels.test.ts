import assert from 'node:assert/strict';
import type { LowerOptions } from '../../../server/src/language/analysis';
import { analyzeFiles, check, script, vm } from '../check';

const ways = (text: string, options: LowerOptions = {}): string[] =>
  analyzeFiles(text, {}, options).programs.map(({ name, machine }) => `${name} (${machine.host.kvm.kernel})`);

describe('kernels of a run', () => {
  it('run it afresh, each kind with each kernel', () => {
    assert.deepEqual(ways(script('read 0', 'under soft, ept with kernel 6.1, 6.12')), [
      'guest under soft with kernel 6.1 (6.1)',
      'guest under soft with kernel 6.12 (6.12)',
      'guest under ept with kernel 6.1 (6.1)',
      'guest under ept with kernel 6.12 (6.12)',
    ]);
  });

  it('stand alone, and before that of the host', () => {
    const host = 'host { kvm { kernel 6.12 } }\n';
    assert.deepEqual(ways(`${host}${script('read 0', 'with kernel 6.1')}`), ['guest under ept with kernel 6.1 (6.1)']);
    assert.deepEqual(ways(`${host}${script('read 0', 'under npt')}`), ['guest under npt (6.12)']);
  });

  it('are one, by an option, whatever the file says', () => {
    const text = script('read 0', 'under soft, ept with kernel 6.1, 6.12');
    assert.deepEqual(ways(text, { kernel: '6.12' }), [
      'guest under soft with kernel 6.12 (6.12)',
      'guest under ept with kernel 6.12 (6.12)',
    ]);
    assert.deepEqual(ways(text, { under: 'npt', kernel: '6.1' }), ['guest under npt with kernel 6.1 (6.1)']);
    assert.deepEqual(ways(text, { under: 'npt' }), ['guest under npt with kernel 6.1 (6.1)', 'guest under npt with kernel 6.12 (6.12)']);
  });

  it('leave out what is for others', () => {
    const statements = [
      'with kernel 6.12 { invlpg 0 }',
      'under soft with kernel 6.1 { read 0 }',
      'read 0x40_0000 expect exits 1 under ept with kernel 6.1',
      'expect exits 1 with kernel 6.12',
    ].join('\n');
    const { programs } = check(script(statements, 'under soft, ept with kernel 6.1, 6.12'));
    assert.deepEqual(
      programs.map(({ acts }) => acts.map((act) => act.do).join(' ')),
      ['access access', 'invlpg access expect', 'access expect', 'invlpg access expect'],
    );
  });

  it('that no run has, or that stand twice, are told', () => {
    check(
      script(
        'with kernel 6.1 { read 0 }\n read 0 expect exits 1 ⟦under ept with kernel 6.12⟧\n same ⟦with kernel 6.12⟧',
        'under soft, ept',
      ),
      ['never-runs: under ept with kernel 6.12', 'never-runs: no run of this is with kernel 6.12'],
    );
    check(script('read 0', 'under soft, ept with kernel 6.1, ⟦6.1⟧'), ['kind-twice: 6.1 stands here twice']);
  });

  it('tell of a quirk that none of them has', () => {
    const quirk = (setting: string, runs: string): string => `host { kvm { ${setting} } }\n${vm('vcpu { paging none }')}${runs}`;
    check(quirk('⟦slot_zap_all off⟧', 'run { read 0 }'), ['feature-conflict: kernel 6.1 has no such quirk']);
    check(quirk('⟦slot_zap_all off⟧', 'run with kernel 6.1 { read 0 }'), ['feature-conflict: kernel 6.1 has']);
    check(quirk('slot_zap_all off', 'run with kernel 6.1, 6.12 { read 0 }'));
    check(quirk('kernel 6.12 slot_zap_all off', 'run { read 0 }\nrun with kernel 6.1 { read 0 }'));
  });
});
