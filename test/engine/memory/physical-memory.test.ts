import { strict as assert } from 'node:assert';
import { Journal } from '../../../server/src/engine/journal/journal';
import { NEAR_FRAMES, PhysicalMemory } from '../../../server/src/engine/memory/physical-memory';

describe('physical memory with a source of frames', () => {
  for (const [where, frame] of [
    ['below 64 GiB', 5],
    ['from 64 GiB on', NEAR_FRAMES + 5],
  ] as const) {
    const address = frame * 4096;
    const make = (): PhysicalMemory => {
      const memory = new PhysicalMemory(new Journal());
      memory.source = {
        load(number, words, at) {
          if (number === frame) words.fill(7, at, at + 1024);
          return number === frame;
        },
      };
      return memory;
    };

    it(`${where} reads what it has`, () => {
      assert.deepEqual([make().low(address), make().high(address + 8), make().low(address + 4096)], [7, 7, 0]);
    });

    it(`${where} keeps what it has beside the first word that is written`, () => {
      const memory = make();
      memory.write(address + 8, 1, 2);
      assert.deepEqual(
        [0, 8, 16].map((offset) => [memory.low(address + offset), memory.high(address + offset)]),
        [
          [7, 7],
          [1, 2],
          [7, 7],
        ],
      );
    });
  }
});
