/** Words of the language where they stand: which meaning of a word is meant, and what it says. */
import type { Analysis } from '../language/analysis';
import { eventNamed } from '../engine/journal/event-table';
import { FIELD_KINDS } from '../engine/journal/field-kinds';
import type { Structure } from '../language/kind';
import { wordsOf } from '../language/kinds';
import type { BodyOf } from '../language/syntax/forms';
import { keywordsFor } from '../language/syntax/keywords';
import type { Category, Keyword } from '../language/syntax/keywords';
import { pathAt } from '../language/syntax/tree';
import type { Node, Range, Reference } from '../language/syntax/tree';
import { innermost } from './places';

interface WordHere {
  readonly range: Range;
  readonly word: string;
  /** Markdown. */
  readonly text: string;
  /** The word is the first of a statement, which therefore it stands for. */
  readonly beginsStatement: boolean;
}

/** The word of the language at an offset; null when there is none. */
export function wordAt(analysis: Analysis, offset: number): WordHere | null {
  const { text, tree } = analysis.parsed;
  const range = wordRange(text, offset);
  if (!range) return null;
  const word = text.slice(range.start, range.end);
  const path = pathAt(tree, range.start);
  const node = path[path.length - 1];
  if (node.kind === 'definition' || node.kind === 'text') return null;
  const found =
    node.kind === 'word' ? ofWordNode(path, node.as, node.text) : node.kind === 'reference' ? ofReference(path, node) : ofPlace(path, word);
  if (found.length === 0) return null;
  const beginsStatement = path.some((each) => isAct(each) && (each.range.start === range.start || inHead(each, range)));
  return { range: node.kind === 'word' ? node.range : range, word, text: found[0], beginsStatement };
}

function isAct(node: Node): boolean {
  return 'expects' in node || node.kind === 'host-acts';
}

function inHead(node: Node, { start, end }: Range): boolean {
  return node.kind === 'access' && node.head.start <= start && end <= node.head.end;
}

/** Words as they are written: names, `#PF`, `4-level`, `6.1`. */
const WORD = /#[A-Za-z]+|(?:32-bit|[45]-level)\b|[A-Za-z_][A-Za-z0-9_]*|[0-9]+\.[0-9]+/g;

function wordRange(text: string, offset: number): Range | null {
  const lineStart = Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
  const line = /[^\r\n]*/y;
  line.lastIndex = lineStart;
  for (const { 0: word, index } of (line.exec(text)?.[0] ?? '').matchAll(WORD)) {
    const start = lineStart + index;
    if (start <= offset && offset <= start + word.length) return { start, end: start + word.length };
  }
  return null;
}

/** Tables that every VM has, and values of events' fields, stand where names do and are words of the language. */
function ofReference(path: readonly Node[], { to, text }: Reference): string[] {
  const tables = to === 'table' && ['shadow', 'tdp', 'tlb'].includes(text);
  if (innermost(path, 'event-field')) return fieldText(path, text);
  return tables ? keywordsFor(text, 'expectation').slice(0, 1).map(keywordText) : []; // prettier-ignore
}

/** A word that the tree knows: its kind is its category. */
function ofWordNode(
  path: readonly Node[],
  as: Exclude<Category, 'declaration' | 'statement' | 'clause' | 'host-act' | 'expectation'> | 'field',
  word: string,
): string[] {
  const parent = path[path.length - 2];
  if (as === 'field') return fieldText(path, word);
  const of = ownerOf(path, as);
  const full = as === 'setting' && parent?.kind === 'setting' && parent.bit ? `${parent.name.text}.${parent.bit.text}` : word;
  const bitOfSetting = as === 'bit' && parent?.kind === 'setting' ? [`${parent.name.text}.${word}`, 'setting' as const] : null;
  const candidates = bitOfSetting ? keywordsFor(bitOfSetting[0], 'setting', of) : keywordsFor(full, as, of);
  const found = candidates.filter(({ category }) => category === as || bitOfSetting !== null).map(keywordText);
  return found.length > 0 ? found : fieldText(path, word);
}

/** Block of a setting, setting of a choice, owner of a bit. */
function ownerOf(path: readonly Node[], as: string): string | undefined {
  const parent = path[path.length - 2];
  switch (as) {
    case 'setting':
    case 'bit': {
      if (parent?.kind === 'register-load' || parent?.kind === 'expect-register') return parent.register.text;
      if (parent?.kind === 'edit' || parent?.kind === 'expect-entry') return 'entry';
      const holder = path
        .slice(0, -2)
        .filter((node) => node.kind !== 'body')
        .at(-1);
      return holder?.kind === 'setting' ? holder.name.text : holder?.kind;
    }
    case 'choice':
      return parent?.kind === 'setting' ? parent.name.text : undefined;
    default:
      return undefined;
  }
}

/** The name or the value of an event's field. */
function fieldText(path: readonly Node[], word: string): string[] {
  const pattern = innermost(path, 'event');
  const event = pattern && eventNamed(pattern.name.text);
  if (!event) return [];
  const field = innermost(path, 'event-field');
  if (field?.value.range.start === path[path.length - 1].range.start) {
    const name = field.name?.text ?? event.fields[0]?.name;
    return [`**${word}** · value of field \`${name}\` of \`${event.name}\``];
  }
  const spec = event.fields.find(({ name }) => name === word);
  const said = spec ? [FIELD_KINDS[spec.kind].about, spec.about].filter(Boolean).join('; ') : '';
  return [`**${word}** · field of \`${event.name}\`${said && `: ${said}`}`];
}

/** A word that is no node of its own: as the kind of node explains it in which it stands, or else as a clause does. */
function ofPlace(path: readonly Node[], word: string): string[] {
  const own = wordsOf(path[path.length - 1]);
  const all = keywordsFor(word).filter(({ category }) => STRUCTURE.has(category));
  const best =
    all.find(({ category }) => own[category as Structure]?.[word] !== undefined) ??
    all.find(({ category }) => category === 'clause') ??
    all[0];
  return best ? [keywordText(best)] : [];
}

const STRUCTURE: ReadonlySet<Category> = new Set<Structure>(['declaration', 'statement', 'clause', 'host-act', 'expectation']);

const NAMES: { readonly [category in Category]: string } = {
  declaration: 'declaration',
  statement: 'statement',
  clause: 'clause',
  'host-act': 'act of the host',
  expectation: 'expectation',
  setting: 'setting',
  choice: 'choice',
  mmu: 'kind of MMU virtualization',
  format: 'format of tables',
  flag: 'flag',
  register: 'register',
  bit: 'bit',
  scope: 'scope',
  event: 'event',
  reason: 'exit reason',
  actor: 'actor of an event',
  errno: 'errno',
  state: 'state of a page',
  statistic: 'name of kvm_stat',
  'fault-flag': 'flag of the #PF error code',
};

/** Markdown: the word, what kind of word it is, its default, and what it means. */
export function keywordText({ word, category, about, of, default: otherwise }: Keyword): string {
  const owner = of && category !== 'choice' ? ` of \`${of}\`` : of ? ` of setting \`${of}\`` : '';
  const dflt = otherwise === undefined ? '' : ` · default \`${otherwise}\``;
  return `**${word}** · ${NAMES[category]}${owner}${dflt}\n\n${about}`;
}

/** Categories in which a word that stands alone in the grammar is looked up, by what it begins. */
const BEGINNINGS: { readonly [of in 'file' | 'vm' | 'tables' | 'script' | 'host-acts' | 'rest']: readonly Category[] } = {
  file: ['declaration'],
  vm: ['declaration', 'statement'],
  tables: ['declaration', 'statement'],
  script: ['statement', 'declaration', 'register', 'clause'],
  'host-acts': ['host-act'],
  rest: ['expectation', 'clause', 'statement', 'host-act', 'declaration', 'register'],
};

/** A word that the grammar lets stand at a place. */
interface WordOfGrammar {
  readonly text: string;
  /** Where it is explained, when the place tells. */
  readonly as?: Category | undefined;
  readonly of?: string | undefined;
}

/** @param begins the body whose item it begins; null: it begins none */
export function keywordIn(begins: BodyOf | null, { text, as, of }: WordOfGrammar): Keyword | undefined {
  if (as) return keywordsFor(text, as, of).find(({ category }) => category === as);
  const wanted = BEGINNINGS[begins !== null && Object.hasOwn(BEGINNINGS, begins) ? (begins as keyof typeof BEGINNINGS) : 'rest'];
  const all = keywordsFor(text);
  return wanted.map((category) => all.find((each) => each.category === category)).find((each) => each !== undefined);
}
