/** Numbers as the server writes them: hexadecimal text with `_` between groups. */

const NUMBER = /^0x[0-9a-f_]+$/i;

/** Value of a hexadecimal text; null when it is none. */
function valueOf(text: string | null): bigint | null {
  return text !== null && NUMBER.test(text) ? BigInt(text.replaceAll('_', '')) : null;
}

/** Parts of `text`, each with whether its digit differs from the one at the same place, from the right, of `other`. */
export function differing(text: string, other: string): readonly { readonly text: string; readonly differs: boolean }[] {
  if (valueOf(text) === null || valueOf(other) === null) return [{ text, differs: false }];
  const digits = text.slice(2).replaceAll('_', '');
  const others = other.slice(2).replaceAll('_', '').padStart(digits.length, '0');
  const parts: { text: string; differs: boolean }[] = [{ text: '0x', differs: false }];
  let digit = 0;
  for (const character of text.slice(2)) {
    const differs = character !== '_' && digits[digit] !== others[digit + others.length - digits.length];
    if (character !== '_') digit++;
    const last = parts[parts.length - 1];
    if (last.differs === differs) last.text += character;
    else parts.push({ text: character, differs });
  }
  return parts;
}
