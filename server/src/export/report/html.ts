/** HTML as text: whatever is put into it is escaped, unless it is HTML itself. */

/** Markup, of which nothing is to be escaped any more. */
export class Html {
  constructor(readonly text: string) {}
}

type Content = Html | string | number | null | undefined | false | readonly Content[];

/** `markup\`<p>${text}</p>\``; attributes are to stand in double quotes. */
export function markup(literals: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(literals.reduce((all, literal, index) => all + literal + (index < contents.length ? written(contents[index]) : ''), ''));
}

function written(content: Content): string {
  if (content === null || content === undefined || content === false) return '';
  if (content instanceof Html) return content.text;
  if (typeof content === 'string') return escaped(content);
  return typeof content === 'number' ? String(content) : content.map(written).join('');
}

/**
 * For text and for attributes in double quotes. What cannot stand in a document is shown as U+FFFD; so are marks of direction, by which
 * a text could be read otherwise than it is (CVE-2021-42574).
 */
function escaped(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r]|\p{Cs}|\p{Bidi_C}/gu, '\ufffd').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
