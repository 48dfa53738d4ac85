/** A small run made by hand: a read that costs an exit, an expectation that holds, one that fails. */
import { Actor, Kind } from '../../server/src/engine/journal/events';
import { Space } from '../../server/src/engine/journal/spaces';
import { Journal } from '../../server/src/engine/journal/journal';
import type { Act, Program } from '../../server/src/engine/program';
import type { Outcome, RunRecord } from '../../server/src/run/record';
import { RunView } from '../../server/src/views/view';
import type { StatementPlace } from '../../server/src/language/places';

export const URI = 'file:///scenarios/a.mmu';

const by = { vm: 0, vcpu: 0 };
const place = (line: number, character: number, text: string, of?: number): StatementPlace => ({
  uri: URI,
  range: { start: { line, character }, end: { line, character: character + text.length } },
  text,
  of,
});

export function smallRun(name = 'guest under ept'): RunView {
  const journal = new Journal();
  journal.row(Kind.change, 0, Space.memory, 0x1000, 0, 0x2007, 0);
  const setup = journal.length;
  journal.actor = Actor.user;
  journal.row(Kind.statement, 0, 0, 0, 0, 0, 0);
  journal.actor = Actor.processor;
  journal.row(Kind.access, 0, 4, 0x40_0123, 0, 8, 0);
  journal.actor = Actor.L0;
  journal.row(Kind.kvm_exit, 0, 48, 0x181, 0, 0, 0);
  journal.row(Kind.more, 0, 0, 0, 0, 0x1_0000, 0);
  journal.row(Kind.change, 0, Space.memory, 0x1000, 0, 0x20, 0);
  journal.row(Kind.kvm_entry, 0, 0, 0x1_0000, 0, 0, 0);
  const to = journal.length;
  const acts: Act[] = [
    {
      do: 'access',
      origin: 0,
      by,
      access: 'read',
      user: true,
      implicit: false,
      ac: null,
      address: 0x40_0123n,
      size: 8,
      value: null,
      count: 1,
      stride: 0n,
      handler: null,
    },
    { do: 'expect', origin: 1, by, what: { kind: 'ok' } },
    { do: 'expect', origin: 2, by, what: { kind: 'exits', count: 0, reason: null, compare: '==' } },
  ];
  const outcomes: Outcome[] = [
    {
      act: 0,
      origin: 0,
      from: setup,
      to,
      result: { kind: 'ok', gpa: 0x5123, hva: 0x7f00_0000_5123, hpa: 0x100_4123, value: 5n },
      exits: [{ reason: 'EPT_VIOLATION', count: 1 }],
      references: 24,
    },
    {
      act: 1,
      origin: 1,
      from: to,
      to,
      result: { kind: 'expectation', holds: true, expected: 'ok', got: 'ok', instead: null },
      exits: [],
      references: 0,
    },
    {
      act: 2,
      origin: 2,
      from: to,
      to,
      result: { kind: 'expectation', holds: false, expected: 'exits 0', got: '1 exit: EPT_VIOLATION', instead: 'exits 1' },
      exits: [],
      references: 0,
    },
  ];
  const program = {
    name,
    machine: { host: { vendor: 'intel', kvm: { kernel: '6.1' } }, vms: [{ name: 'guest', mmu: 'ept', vcpus: [{ name: '0' }] }] },
    acts,
  } as unknown as Program;
  const record: RunRecord = { program, words: journal.words, length: journal.length, setup, outcomes, ended: { how: 'done' } };
  const statements = [place(9, 2, 'user read 0x40_0123'), place(9, 29, 'ok', 0), place(9, 33, 'exits 0', 0)];
  return new RunView(record, { statements });
}
