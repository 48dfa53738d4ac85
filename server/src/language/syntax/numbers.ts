/** Numbers as they are written: hexadecimal, decimal, binary, `_` between digits, sizes with K, M, G, T. */

const SUFFIXES: { readonly [suffix: string]: bigint } = { K: 10n, M: 20n, G: 30n, T: 40n };
const LIMIT = 1n << 64n;
/** More digits than any 64-bit number has, in any base; longer ones are refused before they are computed. */
const MOST_DIGITS = 80;

type ReadNumber =
  { readonly value: bigint } | { readonly code: 'bad-number' | 'number-too-large'; readonly message: string; readonly instead?: string };

const ZERO = 48;
const NINE = 57;
const UNDERSCORE = 95;
/** Digits of any base that fit into a number without loss. */
const FEW_DIGITS = 12;

/** What a size is multiplied with by its last letter; 0: it is none. */
function scaleOf(letter: number): number {
  switch (letter) {
    case 75:
      return 2 ** 10;
    case 77:
      return 2 ** 20;
    case 71:
      return 2 ** 30;
    case 84:
      return 2 ** 40;
    default:
      return 0;
  }
}

/** The value of what nearly all numbers are: few digits, with `_` between them, and sizes; -1 for all else. */
function readPlain(text: string): number {
  const hexadecimal = text.length > 2 && text.charCodeAt(1) === 120 && text.charCodeAt(0) === ZERO;
  const base = hexadecimal ? 16 : 10;
  const scale = hexadecimal ? 0 : scaleOf(text.charCodeAt(text.length - 1));
  const end = scale === 0 ? text.length : text.length - 1;
  let value = 0;
  let digits = 0;
  let before = UNDERSCORE;
  for (let at = hexadecimal ? 2 : 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === UNDERSCORE) {
      if (before === UNDERSCORE) return -1;
    } else {
      const letter = (code | 32) - 97;
      const digit = code >= ZERO && code <= NINE ? code - ZERO : hexadecimal && letter >= 0 && letter < 6 ? letter + 10 : -1;
      if (digit < 0 || ++digits > FEW_DIGITS) return -1;
      value = value * base + digit;
    }
    before = code;
  }
  if (before === UNDERSCORE) return -1;
  const size = scale === 0 ? value : value * scale;
  return size <= Number.MAX_SAFE_INTEGER ? size : -1;
}

/** The value of a number's text, below 2^64, or what is wrong with it. */
export function readNumber(text: string): ReadNumber {
  const plain = readPlain(text);
  if (plain >= 0) return { value: BigInt(plain) };
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const match = /^(?:(0x)([0-9a-fA-F_]*)|(0b)([01_]*)|([0-9][0-9_]*)([KMGT]?))$/.exec(text);
  if (!match) return malformed(text, shown);
  const written = match[2] ?? match[4] ?? match[5] ?? '';
  const digits = written.replaceAll('_', '').replace(/^0+(?=.)/, '');
  if (digits === '') return { code: 'bad-number', message: `${shown} has no digits` };
  if (/^_|_$|__/.test(written)) return { code: 'bad-number', message: `in ${shown}, '_' must stand between digits` };
  const tooLarge: ReadNumber = { code: 'number-too-large', message: `${shown} does not fit in 64 bits` };
  if (digits.length > MOST_DIGITS) return tooLarge;
  const value = BigInt((match[1] ?? match[3] ?? '') + digits) << (SUFFIXES[match[6] ?? ''] ?? 0n);
  return value < LIMIT ? { value } : tooLarge;
}

function malformed(text: string, shown: string): ReadNumber {
  const size = /^([0-9][0-9_]*)([kmgt])(?:i?[bB])?$/.exec(text) ?? /^([0-9][0-9_]*)([KMGT])i?[bB]$/.exec(text);
  if (size) {
    const instead = `${size[1]}${size[2]?.toUpperCase()}`;
    return { code: 'bad-number', message: `${shown} is not a size: write ${instead}`, instead };
  }
  const prefix = /^0[XB]/.exec(text);
  if (prefix) {
    const instead = text.slice(0, 2).toLowerCase() + text.slice(2);
    return { code: 'bad-number', message: `${shown} is not a number: write ${instead}`, instead };
  }
  if (/^[0-9_]*[a-fA-F][0-9a-fA-F_]*$/.test(text) && !text.includes('__')) {
    return { code: 'bad-number', message: `${shown} is not a number: hexadecimal begins with 0x`, instead: `0x${text}` };
  }
  return { code: 'bad-number', message: `${shown} is not a number` };
}
