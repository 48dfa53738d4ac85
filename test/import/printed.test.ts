/** What we print, we read: runs of the samples as the kernel's text, and back. */
import { strict as assert } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ftrace, runScript } from '../../server/src/api/engine';
import type { RunView } from '../../server/src/api/engine';
import { openScript } from '../../server/src/api/language';
import { Actor } from '../../server/src/engine/journal/events';
import { isTracepoint } from '../../server/src/engine/journal/event-table';
import { Role } from '../../server/src/engine/mmu/pages/role';
import { eventAt, fieldsOf, isEvent, type Event } from '../../server/src/events/fields';
import { printKernelText } from '../../server/src/events/kernel-text/kernel-text';
import type { TraceEvent } from '../../server/src/import/trace-event';
import { TraceReader } from '../../server/src/import/trace-reader';

const SAMPLES = fileURLToPath(new URL('../../samples', import.meta.url));

const eventsOf = ({ record }: RunView): Event[] =>
  Array.from({ length: record.length }, (_, row) => (isEvent(record, row) ? eventAt(record, row) : null)).filter(
    (event): event is Event => event !== null && isTracepoint(event.name),
  );

/** Bits of a role that a text says. */
const SAID = Role.level | Role.narrow | Role.quadrant | Role.direct | Role.access | Role.invalid | Role.eferNx | Role.adDisabled;

/** What 6.1 keeps of an error code on the fast path. */
const U32 = 0xffff_ffffn;

describe('what we print, we read:', () => {
  const names = readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mmu'));
  for (const name of names) {
    it(name, () => {
      const path = join(SAMPLES, name);
      const script = openScript(readFileSync(path, 'utf8'), pathToFileURL(path).href, { read: () => null, readBytes: () => null });
      const views = runScript(script);
      const events: TraceEvent[] = [];
      const reader = new TraceReader((event) => events.push(event));
      for (const line of ftrace(views)) reader.push(Buffer.from(`${line}\n`));
      reader.end();
      const printed = views.flatMap((view) => eventsOf(view).map((event) => ({ event, program: view.record.program })));
      assert.equal(events.length, printed.length);
      assert.deepEqual([reader.counts.text, reader.counts.unread.size, reader.counts.others.size], [0, 0, 0]);
      events.forEach(({ said, values }, i) => {
        const { event, program } = printed[i];
        const { vendor, kvm } = program.machine.host;
        assert.ok(values, said);
        const dialect = { vendor, ept: isEpt(event, program) };
        assert.equal(printKernelText(event.name, values, kvm.kernel, dialect), said, event.name);
        for (const field of fieldsOf(event)) compare(field.name, field.value, values, `${event.name}: ${said}`);
      });
    }).timeout(30_000);
  }
});

function isEpt({ actor }: Event, { machine: { vms } }: RunView['record']['program']): boolean {
  return (actor === Actor.L1 ? vms.find(({ parent }) => parent !== null) : vms[0])?.mmu === 'ept';
}

function compare(name: string, value: bigint, values: NonNullable<TraceEvent['values']>, where: string): void {
  const read = values[name];
  // Not in the text; or one of several results, of which it says two.
  if (read === undefined || name === 'result') return;
  assert.ok(typeof read !== 'string', where);
  const mask = name === 'role' ? BigInt(SAID) : where.startsWith('fast_page_fault') && name === 'error_code' ? U32 : -1n;
  assert.equal(BigInt(read) & mask, value & mask, `${where}: ${name}`);
}
