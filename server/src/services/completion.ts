/** Completion: what the grammar lets stand at the cursor, names and values for it, the usual first. */
import { MarkupKind } from 'vscode-languageserver-types';
import type { CompletionItem, CompletionList } from 'vscode-languageserver-types';
import type { Analysis, NameInScope } from '../language/analysis';
import { expectedAt, type BodyOf, type Expected, type ExpectedItem, type ValueOf } from '../language/syntax/expected';
import { keywordsFor } from '../language/syntax/keywords';
import type { Keyword } from '../language/syntax/keywords';
import type { DefinitionOf, Reference } from '../language/syntax/tree';
import { BUILT_IN_TABLES, FAULT_ADDRESS } from '../language/semantics/scopes';
import { SETTING_BLOCKS, type SettingBlock } from '../language/syntax/words/settings';
import type { FolderEntry } from '../protocol/messages';
import { Declared } from './completion/declared';
import { bodyAround, excerpt } from './completion/excerpt';
import { fieldsOf, valuesOf } from './completion/events';
import { snippetFacts } from './completion/facts';
import {
  fieldItem,
  nameItem,
  settingItem,
  snippetItem,
  snippetText,
  valueItem,
  wordItem,
  type Insert,
  type ItemData,
} from './completion/items';
import { Group, sortText, usualness } from './completion/order';
import { pathItems, pathPlace } from './completion/paths';
import { SNIPPETS, type SnippetPlace } from './completion/snippets';
import { offeredValues } from './completion/values';
import { closing, wayTo, type Way } from './completion/way';
import { nameText } from './name-text';
import { innermost, lspRange } from './places';
import { keywordIn, keywordText } from './words';

interface CompletionOptions {
  /** The editor fills in snippets. */
  readonly snippets: boolean;
  /** The character that was typed, when the editor asks because of it. */
  readonly trigger?: string;
  /** Items before the place that are looked at, in each body around it; see excerpt.ts. */
  readonly kept?: number;
}

/** Items at most; of more, those that begin like what is written already. */
const MOST_ITEMS = 500;

export function completion(analysis: Analysis, offset: number, options: CompletionOptions): CompletionList {
  return new Completion(analysis, offset, options).list();
}

/** @param list what is in a folder */
export async function completionWithFiles(
  analysis: Analysis,
  offset: number,
  options: CompletionOptions,
  list: (folder: string) => Promise<readonly FolderEntry[]>,
): Promise<CompletionList> {
  const completion = new Completion(analysis, offset, options);
  const path = pathPlace(analysis, offset, completion.expected);
  return path ? { isIncomplete: false, items: pathItems(path, await list(path.folder)) } : completion.list();
}

/** Fills in an item's explanation. */
export function resolveCompletion(item: CompletionItem, analysis: Analysis | null): CompletionItem {
  const data = item.data as ItemData | undefined;
  if (!data) return item;
  if ('word' in data) {
    const keyword = keywordsFor(data.word, data.category, data.of)[0];
    return keyword ? { ...item, documentation: { kind: MarkupKind.Markdown, value: keywordText(keyword) } } : item;
  }
  const name = analysis?.namesAt(data.offset).find((each) => each.name === item.label);
  const value = name && nameText(analysis!, name);
  return value ? { ...item, documentation: { kind: MarkupKind.Markdown, value } } : item;
}

/** A word, a name or a value has to stand here: what is written so far is not whole. */
function mustStand({ items }: Expected): boolean {
  return items.every(({ begins, ...item }) => begins === null && (item.kind !== 'sign' || /^[-~({]$/.test(item.text)));
}

const VALUES: readonly DefinitionOf[] = ['const', 'loop', 'parameter', 'tables'];

/** What a value is of that may be true or false. */
const TRUTHS: ReadonlySet<ValueOf> = new Set(['value', 'switch', 'argument', 'bit']);

const isSwitch = (word: string): boolean => /^(?:on|off|yes|no)$/.test(word);

class Completion {
  readonly expected: Expected;
  private readonly way: Way;
  private readonly declared: Declared;
  private readonly found = new Map<string, CompletionItem>();
  /** What stands before the place on its line. */
  private readonly line: string;
  /** Nothing stands before the place on its line but what opens a body. */
  private readonly atLineStart: boolean;
  /** The body around begins on the line of the place: its items do not begin lines. */
  private readonly onOneLine: boolean;
  /** It is said already who performs. */
  private readonly isPerformed: boolean;
  /** What stands before the place goes on with a name or a flag, so that no name on its line begins the next item. */
  private readonly takesNames: boolean;

  constructor(
    private readonly analysis: Analysis,
    private readonly offset: number,
    private readonly options: CompletionOptions,
  ) {
    const before = excerpt(analysis.parsed, offset, options.kept);
    const { start, ...expected } = expectedAt(before, before.length);
    this.expected = { ...expected, start: offset - before.length + start };
    this.way = wayTo(before.slice(0, start));
    this.declared = new Declared(analysis, offset, this.way.path);
    const line = (this.line = /[^\r\n]*$/.exec(before.slice(0, start))![0]);
    this.atLineStart = /^(?:.*\{)?[ \t]*$/.test(line);
    this.onOneLine = /[{}]/.test(closing(line));
    this.isPerformed = /:[ \t]*$/.test(line);
    this.takesNames = expected.items.some(
      (item) =>
        item.begins === null && (item.kind === 'reference' || (item.kind === 'word' && (item.as === 'flag' || item.as === 'reason'))),
    );
  }

  list(): CompletionList {
    const { start, quoted } = this.expected;
    if (quoted || (this.options.trigger === ' ' && !mustStand(this.expected))) return { isIncomplete: false, items: [] };
    const all = this.items();
    const written = this.analysis.parsed.text.slice(start, this.offset).toLowerCase();
    const isIncomplete = all.length > MOST_ITEMS;
    const items = isIncomplete ? all.filter(({ label }) => label.toLowerCase().startsWith(written)).slice(0, MOST_ITEMS) : all;
    const range = lspRange(this.analysis, { start, end: this.offset });
    return {
      isIncomplete,
      items: items.map(({ insertText, ...item }) => ({ ...item, textEdit: { range, newText: insertText ?? item.label } })),
    };
  }

  private items(): CompletionItem[] {
    for (const item of this.expected.items) this.add(item);
    for (const place of ['file', 'vm', 'tables', 'script'] as const) {
      if (this.atLineStart && this.expected.items.some(({ begins }) => begins === place)) this.snippets(place);
    }
    return [...this.found.values()].sort((a, b) => (a.sortText! < b.sortText! ? -1 : 1));
  }

  private add(item: ExpectedItem): void {
    if (this.isNext(item.begins) && !this.onOneLine && !(item.begins! in SETTING_BLOCKS)) return;
    switch (item.kind) {
      case 'word':
        return this.word(item);
      case 'number':
        return this.values(item);
      case 'reference':
        return this.names(item);
      case 'field':
        for (const { word, about } of fieldsOf(item.event)) this.put(fieldItem(word, about), Group.name);
        for (const { word, about } of valuesOf(item.event, null)) this.put(valueItem(word, about), Group.value);
        return;
      // Signs are typed, names made up, and files are offered by those who can list folders.
      case 'sign':
      case 'definition':
      case 'string':
        return;
    }
  }

  /** An item that begins where the one before it could go on. */
  private isNext(begins: BodyOf | null): boolean {
    return begins !== null && !this.atLineStart;
  }

  /** Of two items with one label the first in order is kept. */
  private put(item: CompletionItem, group: Group, rank = 0): void {
    const sorted = { ...item, sortText: sortText(group, rank, this.found.size) };
    const other = this.found.get(item.label);
    if (!other || sorted.sortText < other.sortText!) this.found.set(item.label, sorted);
  }

  /* ------------------------------------------------------------ words */

  private word({ text, as, of, begins, value }: ExpectedItem & { kind: 'word' }): void {
    if (begins !== null && begins in SETTING_BLOCKS && this.setting(text, begins as SettingBlock)) return;
    const keyword = keywordIn(begins, { text, as, of });
    if (!keyword || this.isThere(keyword) || (isSwitch(text) && value !== null && !TRUTHS.has(value.of))) return;
    // Who performs is said once.
    if (text === 'vcpu' && this.isPerformed) return;
    if (this.isNext(begins) && this.takesNames && keyword.category === 'register') return;
    this.put(wordItem(keyword), this.groupOf(keyword, begins), usualness(text, keyword.category));
  }

  private groupOf({ word, category }: Keyword, begins: BodyOf | null): Group {
    if (category === 'register') return Group.register;
    if (isSwitch(word)) return this.isSwitch() ? Group.value : Group.switch;
    const goesOn = this.atLineStart === (begins === null);
    return goesOn && word !== 'expect' ? Group.next : Group.word;
  }

  private isSwitch(): boolean {
    if (this.expected.items.some(({ value }) => value?.of === 'switch')) return true;
    const holder = this.way.path.at(-1);
    return holder !== undefined && 'bit' in holder && holder.bit !== null;
  }

  /** Kinds that are listed after `under`, each alone, are not offered again, nor kernels. */
  private isThere({ word, category }: Keyword): boolean {
    if (category !== 'mmu' && category !== 'choice') return false;
    const listed = /\b(?:under|with\s+kernel)\s+((?:[\w.]+\s*,\s*)*)$/.exec(this.line)?.[1] ?? '';
    return listed.split(/[\s,]+/).includes(word);
  }

  /* ------------------------------------------------------------ settings */

  /** A setting, and those of a register: `cr0.wp`. Those that the block has already are not offered. */
  private setting(text: string, block: SettingBlock): boolean {
    const names = Object.keys(SETTING_BLOCKS[block]).filter((name) => name === text || name.startsWith(`${text}.`));
    const given = this.givenSettings();
    for (const name of names) {
      const keyword = keywordsFor(name, 'setting', block)[0];
      if (!given.has(name)) this.put(settingItem(keyword, block, this.options.snippets), Group.word, usualness(name, 'setting'));
    }
    return names.length > 0;
  }

  private givenSettings(): Set<string> {
    const { start } = this.expected;
    const above = bodyAround(this.analysis.parsed, start).items.filter(({ range }) => range.end < start);
    const near = innermost(this.way.path, 'body')?.items.slice(0, -1) ?? [];
    const settings = [...above, ...near].filter((item) => item.kind === 'setting');
    return new Set(settings.map(({ name, bit }) => (bit ? `${name.text}.${bit.text}` : name.text)));
  }

  /* ------------------------------------------------------------ values and names */

  private values({ begins }: ExpectedItem): void {
    if (this.isNext(begins)) return;
    const field = innermost(this.way.path, 'event-field');
    const event = innermost(this.way.path, 'event');
    if (event && field)
      for (const { word, about } of valuesOf(event.name.text, field.name?.text ?? null)) this.put(valueItem(word, about), Group.value);
    offeredValues(this.declared, this.way).forEach(({ text, about }) => this.put(valueItem(text, about), Group.value));
  }

  private names({ to, sign, begins }: ExpectedItem & { kind: 'reference' }): void {
    const vm = this.vmBefore();
    if (vm !== null) return this.tablesOf(vm, sign);
    const of: readonly DefinitionOf[] = to === 'value' ? VALUES : to === 'table' ? ['tables', 'parameter'] : [to];
    const next = this.isNext(begins);
    if ((next && this.takesNames) || (to === 'vm' && this.isPerformed)) return;
    const group = next ? Group.next : to === 'value' ? Group.name : Group.subject;
    const names = this.analysis.namesAt(this.offset);
    for (const name of names) {
      if (of.includes(name.of)) this.put({ ...this.name(name), ...this.withSign(name.name, sign) }, group);
      // Tables of another VM are named by both.
      else if (name.of === 'vm' && this.takesTables(to, sign, name)) this.put(this.vmOfTables(name), group, 1);
    }
    if (sign === '[') for (const word of BUILT_IN_TABLES) this.builtIn(word, group);
    if (to === 'vcpu') this.vcpus();
    if (to === 'value' && innermost(this.way.path, 'handler')) this.put(valueItem(FAULT_ADDRESS, 'address of the fault'), Group.value, -1);
  }

  private name(name: NameInScope): CompletionItem {
    return nameItem(name, { uri: this.analysis.uri, offset: this.offset });
  }

  /** The VM whose tables are named: `l1.` */
  private vmBefore(): string | null {
    const { text } = this.analysis.parsed;
    return /([A-Za-z_]\w*)\.$/.exec(text.slice(Math.max(0, this.expected.start - 200), this.expected.start))?.[1] ?? null;
  }

  private tablesOf(vm: string, sign: string | null): void {
    for (const name of this.declared.namesOfTables(vm)) {
      this.put(
        { ...nameItem({ name, of: 'tables' }, { uri: this.analysis.uri, offset: this.offset }), ...this.withSign(name, sign) },
        Group.name,
      );
    }
    if (sign === '[') for (const word of BUILT_IN_TABLES) this.builtIn(word, Group.subject);
  }

  private takesTables(to: Reference['to'], sign: string | null, { name }: NameInScope): boolean {
    return (to === 'value' ? !this.isSwitch() : sign === '[') && this.declared.namesOfTables(name).length > 0;
  }

  private vmOfTables(name: NameInScope): CompletionItem {
    const command = { title: 'Suggest', command: 'editor.action.triggerSuggest' };
    const { text } = this.analysis.parsed;
    const insertText = text[this.offset] === '.' ? name.name : `${name.name}.`;
    return { ...this.name(name), label: `${name.name}.`, insertText, detail: 'tables of the VM', command };
  }

  private builtIn(word: string, group: Group): void {
    const keyword = keywordsFor(word, 'expectation')[0];
    this.put({ ...wordItem(keyword), ...this.withSign(word, '[') }, group, usualness(word, 'expectation'));
  }

  /** vCPUs without a name are named by their numbers. */
  private vcpus(): void {
    this.declared.vcpus().forEach(({ name }, index) => this.put(valueItem(name ?? String(index), 'vCPU'), Group.name));
  }

  /* ------------------------------------------------------------ signs */

  /** A name with the sign without which it is none of its kind here, unless that is there: `kernel[`, `touch(`, `l2:`. */
  private withSign(name: string, sign: string | null): Insert {
    const behind = this.analysis.parsed.text.slice(this.offset, this.offset + 200);
    if (sign === null || behind.trimStart().startsWith(sign)) return {};
    const [open, close] = sign === '[' ? ['[', ']'] : sign === '(' ? ['(', ')'] : [`${sign} `, ''];
    return this.options.snippets ? snippetText(`${name}${open}$1${close}`) : { insertText: `${name}${open}` };
  }

  /* ------------------------------------------------------------ snippets */

  private snippets(place: SnippetPlace): void {
    if (!this.options.snippets) return;
    const facts = snippetFacts(this.declared);
    for (const { label, about, body, fits } of SNIPPETS[place]) {
      if (fits?.(facts) ?? true) this.put(snippetItem(label, about, body(facts)), Group.snippet);
    }
  }
}
