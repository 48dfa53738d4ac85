/**
 * Where in a text the cursor is, told by the tokens before it alone: what is written is seldom whole at that moment, and
 * the tokens say it the same whether or not the rest parses.
 */
import type { IToken } from 'chevrotain';
import { columnOf, tokenize } from '../language/syntax/tokens';
import { SETTING_BLOCKS } from '../language/syntax/words/settings';
import type { SettingBlock } from '../language/syntax/words/settings';

/** What the body around the cursor holds. */
export type Place = 'file' | 'vm' | 'tables' | 'script' | 'host-acts' | Exclude<SettingBlock, 'vm'>;

export interface CompletionContext {
  readonly place: Place;
  /** Tokens before the word at the cursor, back to the brace before it; the last one is the nearest. */
  readonly before: readonly string[];
  /** Tokens before it that belong to the same item, as far as lines tell. */
  readonly item: readonly string[];
  /** An item can begin here. */
  readonly begins: boolean;
  /** Where the word at the cursor begins. */
  readonly start: number;
}

/** Null inside a comment or a string. */
export function completionContext(text: string, offset: number): CompletionContext | null {
  const start =
    offset - (/(?:#?[A-Za-z_][A-Za-z0-9_]*|#|(?<![A-Za-z0-9_])(?:[0-9]+-[a-z]*|[0-9]+\.))$/.exec(text.slice(0, offset))?.[0].length ?? 0);
  const head = text.slice(0, start);
  const { tokens, comments } = tokenize(head);
  const last = comments.at(-1);
  if (last && last.range.end === head.length && (!last.block || !head.endsWith('*/'))) return null;
  if (tokens.at(-1)?.image.startsWith('"') && inString(tokens.at(-1)!, head)) return null;

  const stack: Place[] = ['file'];
  let opened = 0;
  tokens.forEach(({ image }, index) => {
    if (image === '{') {
      stack.push(placeOf(tokens.slice(opened, index), stack[stack.length - 1]));
      opened = index + 1;
    } else if (image === '}') {
      if (stack.length > 1) stack.pop();
      opened = index + 1;
    }
  });
  const since = tokens.slice(opened);
  const onNewLine = /(?:^|[\r\n])[ \t]*$/.test(head);
  const goesOn = /^(?:,|->|\.\.|=|\+=|[-+*/%&|~([.:]|<<|>>)$/.test(since.at(-1)?.image ?? '');
  const begins = since.length === 0 || (onNewLine && !goesOn);
  return {
    place: stack[stack.length - 1],
    before: since.map(({ image }) => image),
    item: begins ? [] : itemOf(since),
    begins,
    start,
  };
}

/** The string is not closed before the cursor. */
function inString({ image, startOffset }: IToken, head: string): boolean {
  return startOffset + image.length === head.length && !/^"[^"]*"$/.test(image);
}

/** Words that show that a line goes on with the item of the line before. */
const CONTINUES = new Set(['expect', 'under', 'x', 'step', 'size', 'ac', 'at', 'on', 'level', 'of']);

function itemOf(since: readonly IToken[]): string[] {
  let first = since.length - 1;
  while (first > 0) {
    const token = since[first];
    const before = since[first - 1].image;
    if (columnOf(token) !== null && !CONTINUES.has(token.image) && !/^(?:,|->|\.\.|=|\+=|[-+*/%&|~([:])$/.test(before)) break;
    first--;
  }
  return since.slice(Math.max(0, first)).map(({ image }) => image);
}

/** What a body holds, by the words before its brace. */
function placeOf(header: readonly IToken[], outer: Place): Place {
  for (let i = header.length - 1; i >= 0; i--) {
    const { image } = header[i];
    switch (image) {
      case 'run':
      case 'block':
      case 'fault':
      case 'only':
        return 'script';
      case 'for':
        return outer === 'vm' || outer === 'tables' ? outer : 'script';
      case 'vm':
        return 'vm';
      case 'tables':
        return 'tables';
      case 'vcpu':
        return header.slice(i).some((each) => each.image === ':') ? 'script' : 'vcpu';
      case 'host':
        return outer === 'script' ? 'host-acts' : 'host';
      case 'slot':
        return 'slot';
      default:
        if (outer !== 'script' && image !== 'vm' && image in SETTING_BLOCKS) return image as Exclude<SettingBlock, 'vm'>;
    }
  }
  return outer === 'file' ? 'file' : 'script';
}
