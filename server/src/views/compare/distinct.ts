/** Names without the words that all of them begin with: `soft` and `ept` of `guest under soft` and `guest under ept`. */
export function distinct(names: readonly string[]): string[] {
  const words = names.map((name) => name.split(' '));
  let same = 0;
  while (same < words[0].length && words.every((each) => each[same] === words[0][same])) same++;
  return words.map((each, index) => each.slice(same).join(' ') || `run ${index + 1}`);
}
