import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { toBigInt } from '../../../server/src/engine/bits';
import { Halves, inOneWord, loadBytes, loadHalves, storeBytes, storeHalves } from '../../../server/src/engine/memory/bytes';

/** Two words, as a memory. */
class Words {
  readonly halves: Int32Array;
  constructor(words: readonly bigint[]) {
    this.halves = new Int32Array(BigUint64Array.from(words).buffer);
  }
  low = (address: number): number => this.halves[address / 4];
  high = (address: number): number => this.halves[address / 4 + 1];
  write(address: number, lo: number, hi: number): void {
    this.halves[address / 4] = lo;
    this.halves[address / 4 + 1] = hi;
  }
}

const place = fc.tuple(fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 0, max: 15 })).filter(([size, address]) => inOneWord(address, size));
const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

describe('bytes in one word, as halves', () => {
  it('are those that are loaded as one number', () =>
    fc.assert(
      fc.property(word, word, place, (first, second, [size, address]) => {
        const memory = new Words([first, second]);
        const value = new Halves();
        loadHalves(memory, address, size, value);
        assert.equal(toBigInt(value.lo, value.hi), loadBytes(memory, address, size));
      }),
    ));

  it('are stored as one number is, and nothing beside them changes', () =>
    fc.assert(
      fc.property(word, word, place, word, (first, second, [size, address], stored) => {
        const [one, other] = [new Words([first, second]), new Words([first, second])];
        const value = new Halves();
        [value.lo, value.hi] = new Int32Array(BigUint64Array.of(stored).buffer);
        storeHalves(one, address, size, value);
        storeBytes(other, address, size, stored);
        assert.deepEqual(one.halves, other.halves);
      }),
    ));
});

describe('bytes across words', () => {
  const anywhere = fc.tuple(fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 0, max: 8 })).filter(([size, address]) => address + size <= 16);
  const bytesOf = (words: Words): DataView => new DataView(words.halves.buffer);
  const numberAt = (view: DataView, address: number, size: number): bigint =>
    size === 8 ? view.getBigUint64(address, true) : BigInt(size === 4 ? view.getUint32(address, true) : size === 2 ? view.getUint16(address, true) : view.getUint8(address)); // prettier-ignore

  it('are loaded and stored as the bytes of memory stand, lowest first', () =>
    fc.assert(
      fc.property(word, word, anywhere, word, (first, second, [size, address], stored) => {
        const memory = new Words([first, second]);
        assert.equal(loadBytes(memory, address, size), numberAt(bytesOf(memory), address, size));
        const before = new Uint8Array(memory.halves.buffer.slice(0));
        storeBytes(memory, address, size, stored);
        assert.equal(numberAt(bytesOf(memory), address, size), BigInt.asUintN(size * 8, stored));
        new Uint8Array(memory.halves.buffer).forEach((byte, i) => {
          if (i < address || i >= address + size) assert.equal(byte, before[i]);
        });
      }),
    ));
});
