/** Semantic tokens: what each word is, by its place. Editors without the grammar colour everything by them. */
import type {
  Range as LspRange,
  SemanticTokenModifiers,
  SemanticTokensEdit,
  SemanticTokensLegend,
  SemanticTokenTypes,
} from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { tokensOf } from '../language/syntax/scan';
import { AnyWord, Fault, isOf, Num, rangeOf, Str } from '../language/syntax/tokens';
import { walk } from '../language/syntax/tree';
import type { DefinitionOf, Node, Range, WordAs } from '../language/syntax/tree';
import { lspRange } from './places';

const TYPES = [
  'keyword',
  'variable',
  'parameter',
  'property',
  'enumMember',
  'function',
  'class',
  'struct',
  'event',
  'number',
  'string',
  'comment',
  'type',
  'modifier',
] as const satisfies readonly `${SemanticTokenTypes}`[];
type Type = (typeof TYPES)[number];

const MODIFIERS = ['declaration', 'readonly', 'defaultLibrary'] as const satisfies readonly `${SemanticTokenModifiers}`[];
type Modifier = (typeof MODIFIERS)[number];

export const LEGEND: SemanticTokensLegend = { tokenTypes: [...TYPES], tokenModifiers: [...MODIFIERS] };

interface Meaning {
  readonly type: Type;
  readonly modifiers?: readonly Modifier[];
}

const DEFINED: { readonly [of in DefinitionOf]: Meaning } = {
  const: { type: 'variable', modifiers: ['readonly'] },
  loop: { type: 'variable' },
  parameter: { type: 'parameter' },
  block: { type: 'function' },
  vm: { type: 'class' },
  vcpu: { type: 'class' },
  tables: { type: 'struct' },
};

const WORDS: { readonly [as in WordAs]: Meaning } = {
  setting: { type: 'property' },
  choice: { type: 'enumMember' },
  mmu: { type: 'enumMember' },
  format: { type: 'type' },
  flag: { type: 'modifier' },
  register: { type: 'variable', modifiers: ['defaultLibrary'] },
  bit: { type: 'property' },
  scope: { type: 'enumMember' },
  event: { type: 'event' },
  field: { type: 'property' },
  reason: { type: 'enumMember' },
  actor: { type: 'enumMember' },
  errno: { type: 'enumMember' },
  state: { type: 'modifier' },
  statistic: { type: 'enumMember' },
  'fault-flag': { type: 'enumMember' },
};

const BUILT_IN: Meaning = { type: 'struct', modifiers: ['defaultLibrary'] };

/** Longer texts get none: their editor colours them by the grammar. */
const MOST_CHARACTERS = 1 << 20;

/** Numbers of LSP's encoding, five a token, for the whole file or the lines of a range. */
export function semanticTokens(analysis: Analysis, within?: LspRange): number[] {
  const { text, tree } = analysis.parsed;
  const data: number[] = [];
  if (text.length > MOST_CHARACTERS) return data;
  let lastLine = 0;
  let lastCharacter = 0;
  const known = meanings(analysis);
  for (const { range, meaning } of inOrder(
    text,
    tree.comments.map((comment) => comment.range),
    known,
  )) {
    // prettier-ignore
    for (const part of byLine(text, range)) {
      const { line, character } = lspRange(analysis, part).start;
      if (within && (line < within.start.line || line > within.end.line)) continue;
      const modifiers = (meaning.modifiers ?? []).reduce((bits, each) => bits | (1 << MODIFIERS.indexOf(each)), 0);
      data.push(line - lastLine, line === lastLine ? character - lastCharacter : character, part.end - part.start, TYPES.indexOf(meaning.type), modifiers);
      lastLine = line;
      lastCharacter = character;
    }
  }
  return data;
}

/** Meanings that the tree gives to words, by where they begin. */
function meanings(analysis: Analysis): Map<number, Meaning> {
  const known = new Map<number, Meaning>();
  for (const node of walk(analysis.parsed.tree)) {
    const meaning = meaningOf(analysis, node);
    if (meaning) known.set(node.range.start, meaning);
  }
  return known;
}

function meaningOf(analysis: Analysis, node: Node): Meaning | null {
  switch (node.kind) {
    case 'word':
      return WORDS[node.as];
    case 'definition': {
      const { type, modifiers = [] } = DEFINED[node.of];
      return { type, modifiers: ['declaration', ...modifiers] };
    }
    case 'reference': {
      const target = analysis.definitionOf(node);
      if (target) return DEFINED[target.definition.of];
      return node.to === 'table' && ['shadow', 'tdp', 'tlb'].includes(node.text) ? BUILT_IN : { type: 'variable' };
    }
    case 'switch':
      return { type: 'enumMember' };
    default:
      return null;
  }
}

interface Token {
  readonly range: Range;
  readonly meaning: Meaning;
}

/** Tokens of the text and comments, in order; words that the tree does not name are keywords. */
function* inOrder(text: string, comments: readonly Range[], known: ReadonlyMap<number, Meaning>): Generator<Token> {
  let comment = 0;
  for (const token of tokensOf(text)) {
    while (comment < comments.length && comments[comment].start < token.startOffset) {
      yield { range: comments[comment++], meaning: { type: 'comment' } };
    }
    const { tokenType } = token;
    const word = isOf(tokenType, AnyWord) || isOf(tokenType, Fault);
    const plain: Meaning | null = word
      ? { type: 'keyword' }
      : isOf(tokenType, Num)
        ? { type: 'number' }
        : tokenType === Str
          ? { type: 'string' }
          : null;
    const meaning = known.get(token.startOffset) ?? plain;
    if (meaning) yield { range: rangeOf(token), meaning };
  }
  for (; comment < comments.length; comment++) yield { range: comments[comment], meaning: { type: 'comment' } };
}

/** A token has to end on the line that it begins on. */
function* byLine(text: string, { start, end }: Range): Generator<Range> {
  for (const { 0: part, index } of text.slice(start, end).matchAll(/[^\r\n]+/g))
    yield { start: start + index, end: start + index + part.length };
}

/** What turns the numbers of an older answer into those of a newer one: the part between what both begin and end with. */
export function tokenEdits(before: readonly number[], after: readonly number[]): SemanticTokensEdit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end])
    end++;
  const deleteCount = before.length - start - end;
  const data = after.slice(start, after.length - end);
  return deleteCount === 0 && data.length === 0 ? [] : [{ start, deleteCount, data }];
}
