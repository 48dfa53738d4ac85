import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { highOf, lowOf } from '../../../server/src/engine/bits';
import { emit } from '../../../server/src/engine/journal/emit';
import { EVENTS, type EventSpec } from '../../../server/src/engine/journal/event-table';
import { Journal } from '../../../server/src/engine/journal/journal';
import { eventAt } from '../../../server/src/events/fields';

describe('the fields of an event', () => {
  for (const spec of Object.values<EventSpec>(EVENTS)) {
    it(`are read as they were written, to their last bit: ${spec.name}`, () => {
      const values = fc.tuple(
        ...spec.fields.map(({ bits }) => fc.oneof(fc.bigInt(0n, (1n << BigInt(bits)) - 1n), fc.constant((1n << BigInt(bits)) - 1n))),
      );
      fc.assert(
        fc.property(values, fc.integer({ min: 0, max: 5 }), (given, level) => {
          const journal = new Journal();
          const written: { [field: string]: unknown } = spec.level === undefined ? {} : { level };
          spec.fields.forEach(({ name, bits }, i) => {
            written[name] = bits === 64 ? { lo: lowOf(given[i]), hi: highOf(given[i]) } : Number(given[i]);
          });
          emit(journal, spec.name, written as never);
          assert.equal(journal.length, spec.rows);
          const event = eventAt(journal, 0)!;
          const read = event.fields as unknown as { readonly [field: string]: bigint | number };
          assert.deepEqual(
            spec.fields.map(({ name }) => BigInt(read[name])),
            given,
          );
          if (spec.level !== undefined) assert.equal(event.level, level);
        }),
        { numRuns: 20 },
      );
    });
  }
});
