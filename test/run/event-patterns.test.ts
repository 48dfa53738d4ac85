import { strict as assert } from 'node:assert';
import { Kind } from '../../server/src/engine/journal/events';
import { Journal } from '../../server/src/engine/journal/journal';
import type { EventPattern, Program } from '../../server/src/engine/program';
import type { ExpectationResult } from '../../server/src/engine/result';
import { SvmExit, VmxExit } from '../../server/src/engine/x86/exit-reasons';
import { matchEvents } from '../../server/src/run/event-patterns';

type Field = EventPattern['fields'][number];
const pattern = (name: string, ...fields: Field[]): EventPattern => ({ name, fields }) as EventPattern;
const reason = (value: string): Field => ({ name: 'reason', value });

function judged(vendor: 'intel' | 'amd', reasons: readonly number[], ...patterns: EventPattern[]): ExpectationResult {
  const journal = new Journal();
  for (const each of reasons) {
    journal.row(Kind.kvm_entry, 0, 0, 0, 0, 0, 0);
    journal.row(Kind.more, 0, 0, 0, 0, 0, 0);
    journal.row(Kind.kvm_exit, 0, each, 0, 0, 0, 0);
    journal.row(Kind.more, 0, 0, 0, 0, 0, 0);
  }
  const program = { machine: { host: { vendor }, vms: [{ name: 'guest', parent: null, mmu: 'soft' }] }, acts: [] } as unknown as Program;
  return matchEvents(patterns, journal, 0, program);
}

describe('expected events', () => {
  it('call an intercepted #PF alike on both vendors', () => {
    for (const [vendor, fault, other] of [
      ['intel', VmxExit.EXCEPTION_NMI, VmxExit.HLT],
      ['amd', SvmExit.PF_EXCP, SvmExit.HLT],
    ] as const) {
      assert.equal(judged(vendor, [fault], pattern('kvm_exit', reason('#PF'))).holds, true);
      assert.equal(judged(vendor, [other], pattern('kvm_exit', reason('#PF'))).holds, false);
    }
  });

  it('that did not happen are told with the fields of the next of their name', () => {
    const { holds, instead } = judged(
      'intel',
      [VmxExit.HLT, VmxExit.INVLPG],
      pattern('kvm_exit', reason('HLT')),
      pattern('kvm_exit', reason('EPT_VIOLATION')),
      pattern('kvm_mmu_set_spte'),
    );
    assert.deepEqual([holds, instead], [false, 'events kvm_exit(reason HLT), kvm_exit(reason INVLPG)']);
  });
});
