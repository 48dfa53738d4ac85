/** Whether a text is HTML whose elements are closed in order: what is wrong, in a few words. */

/** Elements without content. */
const VOID = new Set(['meta', 'br', 'hr', 'img', 'link', 'input']);
const TOKEN = /<!DOCTYPE html>|<!--[\s\S]*?-->|<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>|[^<]+|</g;

export function wellFormed(page: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  for (const [token, closing, name, attributes = '', empty] of page.matchAll(TOKEN)) {
    if (token === '<') problems.push('a < that begins nothing');
    if (name === undefined) {
      if (open.at(-1) !== 'style' && /&(?!#\d+;|#x[\da-f]+;|\w+;)/i.test(token)) problems.push(`& in ${token.trim().slice(0, 40)}`);
      continue;
    }
    const id = /\sid="([^"]*)"/.exec(attributes)?.[1];
    if (id !== undefined && ids.size === ids.add(id).size) problems.push(`id ${id} twice`);
    if (closing) {
      const last = open.pop();
      if (last !== name) problems.push(`</${name}> closes ${last}`);
    } else if (!empty && !VOID.has(name)) open.push(name);
  }
  return [...problems, ...open.map((name) => `${name} is not closed`)].slice(0, 10);
}
