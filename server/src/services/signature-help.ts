/** Signature help: the form of what is being written, by the grammar, with the part at the place; a block's parameters and an event's fields by their definitions. */
import { MarkupKind } from 'vscode-languageserver-types';
import type { MarkupContent, ParameterInformation, SignatureHelp, SignatureInformation } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { formsAt, type Form, type FormPart, type Listed } from '../language/syntax/forms';
import type { Parsed } from '../language/syntax/parse';
import type { Block } from '../language/syntax/tree';
import { EVENT_WORDS } from '../language/syntax/words/observed';
import { VALUE_WORDS } from '../language/syntax/words/values';
import { commentAbove } from './comments';
import { fieldsOf } from './completion/events';
import { excerpt } from './completion/excerpt';
import { keywordIn, keywordText } from './words';

interface SignatureOptions {
  /** The editor takes the places of parameters in the signature; otherwise their texts. */
  readonly offsets: boolean;
  /** The editor asks because a space was typed: only where something has to stand behind it. */
  readonly afterSpace?: boolean;
}

/** Words that are told of a part at most; a list of more says less than completion does. */
const MOST_WORDS = 20;

export function signatureHelp(analysis: Analysis, offset: number, options: SignatureOptions): SignatureHelp | null {
  const line = /^[^\r\n]*/.exec(analysis.parsed.text.slice(offset))![0];
  const forms = formsAt(excerpt(analysis.parsed, offset), line);
  if (!forms || (options.afterSpace && !forms.mustGoOn)) return null;
  const listed = forms.listed && (forms.listed.kind === 'event' ? ofEvent(forms.listed) : ofCall(analysis, offset, forms.listed));
  const signatures = [...(listed ? [listed] : []), ...forms.all.map((form) => ofForm(form, forms.near, options))];
  return { signatures, activeSignature: 0, activeParameter: signatures[0].activeParameter };
}

const markdown = (value: string): MarkupContent => ({ kind: MarkupKind.Markdown, value });

/* ---------------------------------------------------------------- by the grammar */

function ofForm({ of, head, text, parts, active }: Form, near: readonly string[], { offsets }: SignatureOptions): SignatureInformation {
  const keyword = keywordIn(of, { text: head });
  const parameters = parts.map((part): ParameterInformation => {
    const about = aboutPart(part, near);
    const label: ParameterInformation['label'] = offsets ? [part.start, part.end] : text.slice(part.start, part.end);
    return about === '' ? { label } : { label, documentation: markdown(about) };
  });
  return { label: text, parameters, activeParameter: active, ...(keyword && { documentation: markdown(keywordText(keyword)) }) };
}

/** What the words of a part mean, or that one of them which is written; and what its values are. */
function aboutPart({ words, values }: FormPart, near: readonly string[]): string {
  const written = words.filter(({ text }) => near.includes(text));
  const told = written.length > 0 ? written : words.length <= MOST_WORDS ? words : [];
  const all = told.flatMap((word) => keywordIn(null, word) ?? []);
  const ofWords = all.length === 1 ? all.map(keywordText) : all.map(({ word, about }) => `\`${word}\`: ${about}`);
  const ofValues = values.map((of) => `*${VALUE_WORDS[of].name}*: ${VALUE_WORDS[of].about}`);
  return [...ofWords, ...(written.length > 0 || words.length === 0 ? ofValues : [])].join('\n\n');
}

/* ---------------------------------------------------------------- by definitions */

/** The fields of an event; a value alone is the first one's. */
function ofEvent({ name, field }: Listed): SignatureInformation | null {
  const fields = fieldsOf(name);
  if (fields.length === 0) return null;
  return {
    label: `${name}(${fields.map(({ word }) => word).join(', ')})`,
    parameters: fields.map(({ word, about }) => ({ label: word, documentation: markdown(about) })),
    documentation: markdown(EVENT_WORDS[name]),
    activeParameter: Math.max(0, fields.findIndex(({ word }) => word === field)), // prettier-ignore
  };
}

/** The parameters of a block. */
function ofCall(analysis: Analysis, offset: number, { name, index }: Listed): SignatureInformation | null {
  const found = blockNamed(analysis, offset, name);
  if (!found) return null;
  const names = found.block.parameters.map((parameter) => parameter.text);
  const about = commentAbove(found.parsed, found.block.range.start);
  return {
    label: `${name}(${names.join(', ')})`,
    parameters: names.map((label) => ({ label })),
    activeParameter: index,
    ...(about && { documentation: markdown(about) }),
  };
}

function blockNamed(analysis: Analysis, offset: number, name: string): { readonly block: Block; readonly parsed: Parsed } | null {
  const named = analysis.namesAt(offset).find((each) => each.of === 'block' && each.name === name);
  const parsed = named && (named.uri === analysis.uri ? analysis.parsed : analysis.imports.get(named.uri));
  const block = parsed?.tree.items.find((item): item is Block => item.kind === 'block' && item.name === named!.definition);
  return parsed && block ? { block, parsed } : null;
}
