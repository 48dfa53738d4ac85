/** A repeated access is the same as that many single ones: journal, exits, references and the last result. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Journal } from '../../../server/src/engine/journal/journal';
import { Machine } from '../../../server/src/engine/machine';
import type { AccessAct } from '../../../server/src/engine/program';
import { access, exitsOf } from './machines';
import { addressOf, anyWorld, BUDGET, machineOf, PAGES } from './worlds';
import type { World } from './worlds';

const repeated = fc.record({
  kind: fc.constantFrom('read', 'write', 'fetch', 'rmw'),
  page: fc.nat(PAGES - 1),
  offset: fc.nat(0xfff),
  size: fc.constantFrom<1 | 2 | 4 | 8>(1, 2, 4, 8),
  stride: fc.constantFrom(0n, 1n, 8n, 0x1000n, 0xffcn, -0x1000n, 0x8000_0000_0000n),
  count: fc.integer({ min: 1, max: 12 }),
  user: fc.boolean(),
  value: fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
});

type Repeated = typeof repeated extends fc.Arbitrary<infer T> ? T : never;

const actOf = (world: World, { kind, page, offset, size, stride, count, user, value }: Repeated): AccessAct => ({
  ...(access(kind, BigInt(addressOf(world, page) + offset), user, value) as AccessAct),
  size,
  stride,
  count,
});

const machine = (world: World): { machine: Machine; journal: Journal } => {
  const journal = new Journal();
  return { machine: new Machine(machineOf(world), journal, BUDGET), journal };
};

describe('a repeated access', () => {
  it('is that many single ones', () =>
    fc.assert(
      fc.property(anyWorld, fc.array(repeated, { minLength: 1, maxLength: 4 }), (world, program) => {
        const [one, other] = [machine(world), machine(world)];
        for (const step of program) {
          const act = actOf(world, step);
          const all = one.machine.repeat(act, 0, act.count);
          assert.equal(all.done, act.count);
          let exits = 0;
          let references = 0;
          for (let i = 0; i < act.count; i++) {
            const address = BigInt.asUintN(64, act.address + BigInt(i) * act.stride);
            const single = other.machine.perform({ ...act, address, count: 1 });
            exits += exitsOf({ ...single, events: [] });
            references += single.references;
            if (i === act.count - 1) assert.deepEqual(all.result, single.result);
          }
          assert.deepEqual([exitsOf({ ...all, events: [] }), all.references], [exits, references]);
        }
        assert.deepEqual(rows(one.journal), rows(other.journal));
      }),
      { numRuns: 200 },
    ));

  it('ends where the journal is full', () => {
    const journal = new Journal(20_000);
    const [world] = fc.sample(anyWorld, 1);
    const made = new Machine(machineOf(world), journal, BUDGET);
    const act = actOf(world, { kind: 'read', page: 0, offset: 0, size: 8, stride: 0n, count: 100_000, user: false, value: null });
    assert.ok(made.repeat(act, 0, act.count).done < act.count);
    assert.ok(journal.full);
  });
});

const rows = ({ words, length }: Journal): Int32Array => words.subarray(0, length * 5);
