/** What is kept of searches through a guest's tables is what a search of the tables as they are would find. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Journal } from '../../../../server/src/engine/journal/journal';
import { PhysicalMemory } from '../../../../server/src/engine/memory/physical-memory';
import { windowOn } from '../../../../server/src/engine/mmu/guest/own-tables';
import { TableWindows } from '../../../../server/src/engine/mmu/guest/table-windows';
import { pagingFormat } from '../../../../server/src/engine/x86/formats';

const options = { maxPhyAddr: 46, nxe: true, page1G: true, pse: true, pse36: true, amd: false };
const FORMATS = [pagingFormat({ ...options, mode: '4-level' }), pagingFormat({ ...options, mode: '32-bit' })];

/** Guest frames of the little world: tables and data alike. */
const FRAMES = 6;
const frame = fc.nat(FRAMES - 1);
const flags = fc.constantFrom(0x3, 0x7, 0x1, 0x5, 0x83, 0x87, 0, 0x8000_0001);

type Step =
  | { readonly do: 'write'; readonly table: number; readonly index: number; readonly to: number; readonly flags: number }
  | { readonly do: 'move'; readonly frame: number; readonly host: number }
  | { readonly do: 'find'; readonly frame: number; readonly root: number; readonly wp: boolean };

const write: fc.Arbitrary<Step> = fc.record({ do: fc.constant('write'), table: frame, index: fc.nat(2), to: frame, flags });
const find: fc.Arbitrary<Step> = fc.record({ do: fc.constant('find'), frame, root: fc.nat(1), wp: fc.boolean() });
const move: fc.Arbitrary<Step> = fc.record({ do: fc.constant('move'), frame, host: fc.integer({ min: 1, max: 9 }) });
const steps = fc.array(fc.oneof({ weight: 4, arbitrary: write }, { weight: 4, arbitrary: find }, { weight: 1, arbitrary: move }), {
  minLength: 30,
  maxLength: 120,
});

describe('the windows through which a kernel writes its tables', () => {
  for (const format of FORMATS)
    it(`are those of the tables as they are: ${format.name}`, () =>
      fc.assert(
        fc.property(steps, (program) => {
          const memory = new PhysicalMemory(new Journal());
          const hosts = Array.from({ length: FRAMES }, (_, i) => i + 1);
          const look = (gpa: number): number => (hosts[Math.floor(gpa / 4096)] ?? -1) * 4096 + (gpa % 4096);
          const lookOrNone = (gpa: number): number => (gpa < FRAMES * 4096 ? look(gpa) : -1);
          const windows = new TableWindows(memory, lookOrNone);
          // Frames that nobody wrote tell nobody of their first write; most are there.
          for (let i = 0; i < FRAMES - 1; i++) memory.write(look(i * 4096), (((i + 1) % FRAMES) << 12) | 7, 0);
          for (const step of program) {
            if (step.do === 'move') hosts[step.frame] = step.host;
            else if (step.do === 'write') {
              const address = look(step.table * 4096) + step.index * (format.narrow ? 4 : 8);
              const entry = (step.to * 4096) | (step.flags & 0xfff);
              if (format.narrow) memory.store(address, 4, entry, 0);
              else memory.write(address, entry, step.flags & 0x8000_0000);
            } else {
              const roots = [{ table: step.root * 4096, base: { lo: 0, hi: 0 } }];
              const gpa = step.frame * 4096 + 8;
              assert.deepEqual(windows.find(format, roots, gpa, step.wp), windowOn(memory, lookOrNone, format, roots, gpa, step.wp));
            }
          }
        }),
        { numRuns: 150 },
      ));
});
