import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readNumber } from '../../../server/src/language/syntax/numbers';
import { nearest } from '../../../server/src/language/syntax/problem';

const value = (text: string): bigint | string => {
  const read = readNumber(text);
  return 'value' in read ? read.value : read.code;
};

describe('numbers', () => {
  for (const [text, expected] of Object.entries<bigint | string>({
    '0': 0n, '007': 7n, '1_000': 1000n, '4K': 4096n, '2M': 2n << 20n, '1G': 1n << 30n, '3T': 3n << 40n, '0x40_0123': 0x400123n, '0xFF': 255n, '0b101': 5n,
    '0xffff_ffff_ffff_ffff': (1n << 64n) - 1n, '0x1_0000_0000_0000_0000': 'number-too-large', '16777216T': 'number-too-large', '18446744073709551615': (1n << 64n) - 1n,
    '0x': 'bad-number', '0b': 'bad-number', '0b2': 'bad-number', '1__0': 'bad-number', '1_': 'bad-number', '0x_1': 'bad-number', '4k': 'bad-number', '12kb': 'bad-number', '0X1': 'bad-number', '7f': 'bad-number', '0xfK': 'bad-number',
  })) {
    it(text, () => assert.equal(value(text), expected));
  } // prettier-ignore

  it('reads what was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (number) => {
        for (const text of [number.toString(), `0x${number.toString(16)}`, `0b${number.toString(2)}`]) assert.equal(value(text), number);
        assert.equal(value(number.toString().replace(/(?<=\d)(?=(?:\d{3})+$)/g, '_')), number);
      }),
    );
  });

  it('a million digits are refused at once', () => assert.equal(value('9'.repeat(1_000_000)), 'number-too-large'));
});

describe('nearest', () => {
  const words = ['soft', 'ept', 'npt', 'hva', 'readonly'];
  for (const [word, expected] of Object.entries({
    sfot: 'soft',
    SOFT: 'soft',
    hav: 'hva',
    redonly: 'readonly',
    'read-only': 'readonly',
    zzz: null,
    kernel: null,
  })) {
    it(word, () => assert.equal(nearest(word, words), expected));
  }
});
