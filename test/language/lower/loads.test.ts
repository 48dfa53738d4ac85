import assert from 'node:assert/strict';
import { analyze } from '../../../server/src/language/analysis';
import type { Program } from '../../../server/src/engine/program';
import { check, vm } from '../check';

const run = 'run guest { read 0 }';
const paging = 'vcpu { paging none }';

/** Words of guest memory at the start that are not zero. */
function words({ machine }: Program): Map<number, bigint> {
  const found = new Map<number, bigint>();
  for (const { gpa, words } of machine.vms[0].memory) words.forEach((word, i) => word !== 0n && found.set(gpa + 8 * i, word));
  return found;
}

const dump = Uint8Array.from({ length: 20 }, (_, i) => i + 1);

describe('files loaded into memory', () => {
  it('lie there byte by byte', () => {
    const text = `${vm(`load "guest.dump" at 0x1ff8\n ${paging}`)}${run}`;
    assert.deepEqual(
      [...words(check(text, [], { 'guest.dump': dump }).programs[0])],
      [
        [0x1ff8, 0x0807_0605_0403_0201n],
        [0x2000, 0x100f_0e0d_0c0b_0a09n],
        [0x2008, 0x1413_1211n],
      ],
    );
  });

  it('lie below words that are written, wherever these stand', () => {
    const text = `${vm(`word 0x5000 = 7\n load "guest.dump" at 0x5000\n word 0x5008 = 8\n ${paging}`)}${run}`;
    assert.deepEqual(
      [...words(check(text, [], { 'guest.dump': dump }).programs[0])],
      [
        [0x5000, 7n],
        [0x5008, 8n],
        [0x5010, 0x1413_1211n],
      ],
    );
  });

  it('are nothing that tables are put into', () => {
    const text = `${vm('load "guest.dump" at 0x2000\n tables kernel at 0x1000 { 0 +4K -> 0x9000 }')}${run}`;
    const found = words(check(text, [], { 'guest.dump': new Uint8Array(8192).fill(1) }).programs[0]);
    assert.equal(found.get(0x1000), 0x4007n);
    assert.equal(found.get(0x2ff8), 0x0101_0101_0101_0101n);
  });

  it('may be tables', () => {
    const tables = new Uint8Array(4 * 4096);
    const view = new DataView(tables.buffer);
    for (const [at, entry] of [[0, 0x2067n], [0x1000, 0x3067n], [0x2010, 0x4067n], [0x3000, 0x5067n]] as const) view.setBigUint64(at, entry, true); // prettier-ignore
    const text = `${vm('load "tables.bin" at 0x1000\n vcpu { cr3 0x1000 }')}run guest { user read 0x40_0000 expect ok }`;
    assert.equal(words(check(text, [], { 'tables.bin': tables }).programs[0]).get(0x3010), 0x4067n);
  });

  for (const [load, problem, files] of [
    ['load ⟦"none.dump"⟧ at 0x5000', 'no-such-file', {}],
    ['load "guest.dump" at ⟦0x5004⟧', 'not-aligned: multiple of 8', { 'guest.dump': dump }],
    ['load "guest.dump" at ⟦32M⟧', 'not-in-slot', { 'guest.dump': dump }],
    ['load "guest.dump" at ⟦0xff_fff8⟧', 'not-in-slot: 0x100_0000', { 'guest.dump': dump }],
    ['load "guest.dump" at ⟦0x1000⟧\n tables _kernel at 0x1000 { }', 'tables-overlap: _kernel', { 'guest.dump': dump }],
  ] as const) {
    it(`${load.replace(/[⟦⟧]/g, '')}: ${problem}`, () => void check(vm(`${load}\n ${paging}`), [problem], files));
  }

  it('need someone who reads them, once', () => {
    const text = vm(`load "a.dump" at 0x5000\n load "a.dump" at 0x6000\n ${paging}`);
    const analysis = analyze(text, 'file:///a.mmu', { read: () => null });
    assert.deepEqual(analysis.loads, ['file:///a.dump']);
    const without = analysis.lower();
    assert.deepEqual([...new Set(without.problems.map(({ code }) => code))], ['not-supported-yet']);
    let reads = 0;
    const throwing = analysis.lower({
      readBytes: () => {
        reads++;
        throw new Error('no');
      },
    });
    assert.deepEqual([...new Set(throwing.problems.map(({ code }) => code))], ['no-such-file']);
    assert.equal(reads, 1);
  });
});
