/** Items of completion: words of the language, names, values, snippets. */
import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver-types';
import type { CompletionItem } from 'vscode-languageserver-types';
import type { NameInScope } from '../../language/analysis';
import type { Category, Keyword } from '../../language/syntax/keywords';
import type { DefinitionOf } from '../../language/syntax/tree';
import { SETTING_BLOCKS, type SettingBlock, type SettingSpec } from '../../language/syntax/words/settings';

const KINDS: { readonly [category in Category]: CompletionItemKind } = {
  declaration: CompletionItemKind.Keyword,
  statement: CompletionItemKind.Keyword,
  clause: CompletionItemKind.Keyword,
  'host-act': CompletionItemKind.Keyword,
  expectation: CompletionItemKind.Keyword,
  setting: CompletionItemKind.Property,
  choice: CompletionItemKind.EnumMember,
  mmu: CompletionItemKind.EnumMember,
  format: CompletionItemKind.EnumMember,
  flag: CompletionItemKind.EnumMember,
  register: CompletionItemKind.Variable,
  bit: CompletionItemKind.Field,
  scope: CompletionItemKind.EnumMember,
  event: CompletionItemKind.Event,
  reason: CompletionItemKind.EnumMember,
  actor: CompletionItemKind.EnumMember,
  errno: CompletionItemKind.EnumMember,
  state: CompletionItemKind.EnumMember,
  statistic: CompletionItemKind.EnumMember,
  'fault-flag': CompletionItemKind.EnumMember,
};

const NAME_KINDS: { readonly [of in DefinitionOf]: CompletionItemKind } = {
  const: CompletionItemKind.Constant,
  loop: CompletionItemKind.Variable,
  parameter: CompletionItemKind.Variable,
  block: CompletionItemKind.Function,
  vm: CompletionItemKind.Class,
  vcpu: CompletionItemKind.Class,
  tables: CompletionItemKind.Struct,
};

/** Which explanation an item gets when it is looked at. */
export type ItemData =
  { readonly word: string; readonly category: Category; readonly of?: string } | { readonly uri: string; readonly offset: number };

/** Text to insert, with fields to fill in where the editor can. */
export interface Insert {
  readonly insertText?: string;
  readonly insertTextFormat?: InsertTextFormat;
}

export function snippetText(insertText: string): Insert {
  return { insertText, insertTextFormat: InsertTextFormat.Snippet };
}

export function wordItem({ word, category, of, about }: Keyword): CompletionItem {
  const data: ItemData = { word, category, of };
  const [first] = about.split(/(?<=[.:]) /);
  return { label: word, kind: KINDS[category], detail: first.replace(/[.:]$/, ''), data };
}

/** A setting with what it takes: its default is filled in. */
export function settingItem(keyword: Keyword, block: SettingBlock, snippets: boolean): CompletionItem {
  const spec = SETTING_BLOCKS[block][keyword.word];
  const dflt = spec.default ?? spec.computed;
  const detail = dflt === undefined ? spec.takes : `default ${dflt}`;
  return { ...wordItem(keyword), detail, ...(snippets && snippetText(settingSnippet(keyword.word, spec))) };
}

function settingSnippet(name: string, { takes, default: otherwise, choices }: SettingSpec): string {
  if (takes === 'nothing') return name;
  if (takes === 'block') return `${name} {\n\t$0\n}`;
  if (choices) return `${name} \${1|${Object.keys(choices).join(',')}|}`;
  if (takes === 'switch' || takes === 'switch-or-block') return `${name} \${1|on,off|}`;
  // What there is to choose from is offered there.
  return otherwise === undefined ? `${name} ` : `${name} \${1:${otherwise}}`;
}

export function nameItem({ name, of }: Pick<NameInScope, 'name' | 'of'>, data: ItemData): CompletionItem {
  return { label: name, kind: NAME_KINDS[of], detail: of, data };
}

export function valueItem(label: string, about: string): CompletionItem {
  return { label, kind: CompletionItemKind.Value, detail: about };
}

export function fieldItem(label: string, about: string): CompletionItem {
  return { label, kind: CompletionItemKind.Field, detail: about };
}

export function snippetItem(label: string, detail: string, body: readonly string[]): CompletionItem {
  return { label, kind: CompletionItemKind.Snippet, detail, ...snippetText(body.join('\n')) };
}
