/** The forms of what is being written at a place, told by the grammar, with the part that the place is in. */
import { FormWriter, VALUES, type FormPart } from './grammar/form';
import type { Way } from './grammar/explorer';
import { firstToken, isFrame, lastToken, type Frame, type ReadToken } from './grammar/frames';
import type { BodyOf } from './grammar/lists';
import { productions } from './grammar/recording';
import { scan } from './scan';
import * as t from './tokens';
import type { Token } from './tokens';
import { waysAt } from './ways';

export type { FormPart } from './grammar/form';
export type { BodyOf } from './grammar/lists';

export interface Form {
  /** The body whose item it is of; null: of expectations. */
  readonly of: BodyOf | null;
  /** The first word of what is written. */
  readonly head: string;
  readonly text: string;
  readonly parts: readonly FormPart[];
  /** Index of the part that the place is in. */
  readonly active: number;
}

/** A block that is called, or an event whose fields are listed. */
export interface Listed {
  readonly kind: 'call' | 'event';
  readonly name: string;
  /** Values before the place. */
  readonly index: number;
  /** The name of the field whose value is at the place; null: it has none. */
  readonly field: string | null;
}

interface Forms {
  /** The one that the place decides for first. */
  readonly all: readonly Form[];
  /** The list of arguments or fields that the place is in. */
  readonly listed: Listed | null;
  /** Something has to stand at the place. */
  readonly mustGoOn: boolean;
  /** The word at the place, and that before it. */
  readonly near: readonly string[];
}

/** Rules of which each thing that they read has a form, and the bodies in which it stands. */
const ROOTS: { readonly [rule: string]: BodyOf | null } = {
  declaration: 'file',
  vmItem: 'vm',
  tablesItem: 'tables',
  statement: 'script',
  hostAct: 'host-acts',
  hostSetting: 'host',
  expect: null,
  expectation: null,
};

/** Bodies whose items are told with what they belong to, as the settings of a slot; their items have forms only for bodies of their own. */
const TOLD_WITHIN: ReadonlySet<BodyOf> = new Set(['host', 'cpu', 'tlb', 'kvm', 'budget', 'cpuid', 'slot', 'vcpu']);

interface Candidate {
  readonly way: Way;
  readonly form: Omit<Form, 'active'>;
  /** It begins with a name. */
  readonly byName: boolean;
  readonly required: boolean;
  /** It goes on with a value that may be whole. */
  readonly continues: boolean;
}

/**
 * @param text what stands before the place
 * @param behind what stands behind it
 */
export function formsAt(text: string, behind: string): Forms | null {
  const at = waysAt(text, text.length);
  if (!at) return null;
  const found = at.ways.flatMap((way) => candidateOf(way) ?? []);
  // A word of the language rather than a name like it.
  const candidates = [...found.filter(({ byName }) => !byName), ...found.filter(({ byName }) => byName)];
  const token = tokenIn(`${text.slice(at.start)}${behind}`, /\s/.test(text[at.start - 1] ?? ' '));
  const fitting = token && candidates.find(({ way }) => t.isOf(token.tokenType, way.type));
  // In a new line what belongs there, unless what stands before is not whole.
  const isNext = at.onNewLine && at.ways.some(({ begins }) => begins !== null);
  const chosen = fitting ?? undecided(candidates.filter(({ way }) => !isNext || way.begins !== null));
  if (!chosen) return null;
  const all = new Map<string, Form>();
  for (const { form } of [chosen, ...candidates]) {
    if (all.has(form.text)) continue;
    const ways = candidates.filter((each) => each.form.text === form.text && each.required);
    const active = fitting?.form === form ? heldByAll([form]) : ways.length > 0 ? heldByAll(ways.map((each) => each.form)) : heldBy(form);
    all.set(form.text, { ...form, active });
  }
  const before = lastToken(chosen.way.frame)?.image;
  const near = [...(token && fitting ? [token.image] : []), ...(before === undefined ? [] : [before])];
  return { all: [...all.values()], listed: listedAt(chosen.way, token), mustGoOn: chosen.required, near };
}

/** Null: it begins something new, or ends what is around. */
function candidateOf(way: Way): Candidate | null {
  if (way.type === t.RCurly || (way.begins !== null && !TOLD_WITHIN.has(way.begins))) return null;
  let continues = false;
  let head: ReadToken | undefined;
  let body: string | null = null;
  for (let frame: Frame | null = way.frame; frame; frame = frame.around) {
    head = firstToken(frame) ?? head;
    continues ||= VALUES.has(frame.rule) && head !== undefined;
    if (/Settings$/.test(frame.rule)) body ??= frame.rule;
    const isRoot = Object.hasOwn(ROOTS, frame.rule) && !(frame.rule === 'hostSetting' && body === null);
    if (!isRoot || !head) continue;
    const writer = new FormWriter(productions(), way);
    const { text, parts } = writer.form(frame);
    const form = { of: ROOTS[frame.rule]!, head: head.token.image, text, parts };
    return { way, form, byName: head.type === t.Word, required: !writer.isOptional(frame), continues };
  }
  return null;
}

/** Where nothing behind the place tells: what must stand there, or else the first of what may. */
function undecided(candidates: readonly Candidate[]): Candidate | undefined {
  const beginning = candidates.filter(({ continues }) => !continues);
  return beginning.find(({ required }) => required) ?? beginning[0] ?? candidates[0];
}

/** Index of the outermost part that holds the place: which of its parts is not decided. */
function heldBy({ parts }: Candidate['form']): number {
  return parts.findIndex(({ holds }) => holds);
}

/** Index of the innermost part that holds the place whichever way the text goes on, of ways in one form. */
function heldByAll(forms: readonly Candidate['form'][]): number {
  return forms[0]!.parts.map((_, index) => forms.every(({ parts }) => parts[index]!.holds)).lastIndexOf(true);
}

/** The first token of a text, if it is on its first line. */
function tokenIn(text: string, afterSpace: boolean): Token | null {
  const line = /^[^\r\n]*/.exec(text)![0];
  const { tokens } = scan(`${afterSpace ? ' ' : ''}${line}`);
  return tokens.count > 0 ? tokens.at(0) : null;
}

function listedAt(way: Way, token: Token | null): Listed | null {
  let inner: Frame | null = null;
  for (let frame: Frame | null = way.frame; frame; inner = frame, frame = frame.around) {
    if (frame.rule !== 'call' && frame.rule !== 'event') continue;
    const isOpen = frame.read.some((part) => !isFrame(part) && part.type === t.LParen);
    if (!isOpen) return null;
    const before = frame.read.filter(isFrame).length;
    const [name] = inner?.read ?? [];
    const named = name && !isFrame(name) ? name.token : way.type === t.AnyWord ? token : null;
    return {
      kind: frame.rule,
      name: firstToken(frame)!.token.image,
      // Behind a value, where a comma may follow, the place is still its own.
      index: inner ? before : Math.max(0, before - 1),
      field: frame.rule === 'event' ? (named?.image ?? null) : null,
    };
  }
  return null;
}
