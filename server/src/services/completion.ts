/** Completion: what can stand at the cursor, by what stands before it. */
import { CompletionItemKind, InsertTextFormat, MarkupKind } from 'vscode-languageserver-types';
import type { CompletionItem, CompletionList } from 'vscode-languageserver-types';
import { EVENTS } from '../engine/journal/events';
import type { Analysis, NameInScope } from '../language/analysis';
import { KEYWORDS, keywordsFor } from '../language/syntax/keywords';
import type { Category, Keyword } from '../language/syntax/keywords';
import type { DefinitionOf } from '../language/syntax/tree';
import { BITS, FLAGS, REGISTERS } from '../language/syntax/words/paging';
import type { FlagPlace } from '../language/syntax/words/paging';
import { SETTING_BLOCKS } from '../language/syntax/words/settings';
import type { SettingBlock, SettingSpec } from '../language/syntax/words/settings';
import { completionContext } from './completion-context';
import type { CompletionContext } from './completion-context';
import { nameText } from './name-text';
import { Declared } from './completion/declared';
import { snippetFacts } from './completion/facts';
import { SNIPPETS, type SnippetPlace } from './completion/snippets';
import { offeredValues } from './completion/values';
import { wayTo, type Way } from './completion/way';
import { keywordText } from './words';

export interface CompletionOptions {
  /** The editor fills in snippets. */
  readonly snippets: boolean;
}

/** Which explanation an item gets when it is looked at. */
type Data =
  { readonly word: string; readonly category: Category; readonly of?: string } | { readonly uri: string; readonly offset: number };

export function completion(analysis: Analysis, offset: number, { snippets }: CompletionOptions): CompletionList {
  const { text } = analysis.parsed;
  const context = completionContext(text, offset);
  if (!context) return { isIncomplete: false, items: [] };
  const range = analysis.locate(analysis.uri, { start: context.start, end: offset }).range;
  const items = new Completion(analysis, context, offset, snippets).items();
  const edited = items.map((item) => ({ ...item, textEdit: { range, newText: item.insertText ?? item.label }, insertText: undefined }));
  return { isIncomplete: false, items: distinct(edited) };
}

/** Fills in an item's explanation. */
export function resolveCompletion(item: CompletionItem, analysis: Analysis | null): CompletionItem {
  const data = item.data as Data | undefined;
  if (!data) return item;
  if ('word' in data) {
    const keyword = keywordsFor(data.word, data.category, data.of)[0];
    return keyword ? { ...item, documentation: { kind: MarkupKind.Markdown, value: keywordText(keyword) } } : item;
  }
  const name = analysis?.namesAt(data.offset).find((each) => each.name === item.label);
  const value = name && nameText(analysis!, name);
  return value ? { ...item, documentation: { kind: MarkupKind.Markdown, value } } : item;
}

function distinct(items: readonly CompletionItem[]): CompletionItem[] {
  const seen = new Map<string, CompletionItem>();
  for (const item of items) if (!seen.has(item.label)) seen.set(item.label, item);
  return [...seen.values()];
}

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
  errno: CompletionItemKind.EnumMember,
  state: CompletionItemKind.EnumMember,
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

const ACCESSES = ['read', 'write', 'fetch', 'rmw'];
const PRIVILEGES = ['user', 'supervisor', 'implicit'];
const VALUES: readonly DefinitionOf[] = ['const', 'loop', 'parameter', 'tables'];
const OPERATORS = /^(?:=|\+=|==|<=|>=|\.\.|->|[-+*/%&|~([])$/;

class Completion {
  private readonly way: Way;
  private readonly declared: Declared;

  constructor(
    private readonly analysis: Analysis,
    private readonly context: CompletionContext,
    private readonly offset: number,
    private readonly snippets: boolean,
  ) {
    this.way = wayTo(analysis.parsed, context.start);
    this.declared = new Declared(analysis, offset, this.way.path);
  }

  items(): CompletionItem[] {
    return this.byTokensBefore() ?? this.byPlace();
  }

  /** What the last tokens ask for wherever they stand; null when they do not say. */
  private byTokensBefore(): CompletionItem[] | null {
    const { item, before, begins } = this.context;
    if (begins) return null;
    const last = item.at(-1) ?? '';
    const second = item.at(-2) ?? '';
    if (last === '.') return this.afterDot(second);
    const under = item.lastIndexOf('under');
    if (under >= 0 && item.slice(under + 1).every((each) => /^(?:soft|ept|npt|on|,)$/.test(each)) && /^(?:under|on|,)$/.test(last))
      return this.words('mmu');
    const open = lastOpen(before, '(');
    if (open > 0 && before[open - 1] === '#PF') return this.words('fault-flag');
    const event = open > 0 ? Object.values(EVENTS).find(({ name }) => name === before[open - 1]) : undefined;
    if (event)
      return [...event.slots.map(({ name, as }) => plain(name, CompletionItemKind.Field, as)), ...this.words('reason'), ...this.values()];
    const events = item.lastIndexOf('events');
    if (events >= 0 && (last === 'events' || last === ',')) return this.words('event');
    if (last === 'from' && item.includes('exits')) return this.names('vm');
    if (last === 'exit') return this.words('reason');
    if (last === 'of') return item.includes('exits') ? this.words('reason') : [this.word('gpa', 'expectation')];
    if (last === 'error') return this.words('errno');
    if (last === 'run' || /^vm(?:launch|resume|run)$/.test(last)) return this.names('vm');
    if (last === 'share') return this.names('tables');
    if (PRIVILEGES.includes(last) && item.length === 1) return ACCESSES.map((each) => this.word(each, 'statement'));
    if (OPERATORS.test(last)) return [...this.values(), ...(/=/.test(last) ? this.switches() : [])];
    return null;
  }

  private byPlace(): CompletionItem[] {
    const { place } = this.context;
    switch (place) {
      case 'file':
        return this.inFile();
      case 'tables':
        return this.inTables();
      case 'script':
        return this.inScript();
      case 'host-acts':
        return this.hostAct(this.context.item);
      default:
        return this.inSettings(place);
    }
  }

  private inFile(): CompletionItem[] {
    const { begins, item } = this.context;
    if (begins)
      return [
        ...this.snippet('file'),
        ...['import', 'const', 'host', 'budget', 'vm', 'block', 'run'].map((each) => this.word(each, 'declaration')),
      ];
    return item[0] === 'run' ? [this.word('under', 'clause')] : [];
  }

  /* ------------------------------------------------------------ machine */

  private inSettings(block: SettingBlock): CompletionItem[] {
    const { before } = this.context;
    const specs = SETTING_BLOCKS[block];
    const last = before.at(-1) ?? '';
    const dotted = before.at(-2) === '.' ? `${before.at(-3)}.${last}` : last;
    const spec = specs[dotted];
    if (spec && spec.takes !== 'nothing') return this.settingValue(dotted, spec);
    const items = Object.entries(specs).map(([name, each]) => this.setting(name, each, block));
    if (block === 'vm') items.push(...this.inVm());
    if (block === 'vcpu') items.push(this.word('on', 'clause'));
    return items;
  }

  private inVm(): CompletionItem[] {
    const { item } = this.context;
    if (item[0] === 'tables' && item.length >= 2 && !item.includes('at')) return [...this.words('format'), this.word('at', 'clause')];
    return [
      ...this.snippet('vm'),
      ...['slot', 'vcpu', 'tables', 'word', 'load', 'vm', 'const', 'for'].map((each) => this.word(each, 'declaration')),
    ];
  }

  private setting(name: string, spec: SettingSpec, block: SettingBlock): CompletionItem {
    const item = this.word(name, 'setting', block);
    const dflt = spec.default ?? spec.computed;
    const detail = dflt === undefined ? spec.takes : `default ${dflt}`;
    return {
      ...item,
      detail,
      ...(this.snippets && { insertText: settingSnippet(name, spec), insertTextFormat: InsertTextFormat.Snippet }),
    };
  }

  private settingValue(name: string, spec: SettingSpec): CompletionItem[] {
    const dflt = spec.default !== undefined && spec.takes !== 'choice' ? [plain(spec.default, CompletionItemKind.Value, 'default')] : [];
    switch (spec.takes) {
      case 'choice':
        return Object.keys(spec.choices ?? {}).map((each) => ({
          ...this.word(each, 'choice', name),
          ...(each === spec.default && { detail: 'default', preselect: true }),
        }));
      case 'switch':
      case 'switch-or-block':
        return this.switches();
      case 'size':
        return [...dflt, ...['4K', '2M', '1G'].map((each) => plain(each, CompletionItemKind.Value)), ...this.values()];
      default:
        return [...dflt, ...this.values()];
    }
  }

  private inTables(): CompletionItem[] {
    const { item, begins } = this.context;
    if (begins) {
      const words = ['entry', 'upper', 'table', 'share', 'const', 'for'].map((each) => this.word(each, 'declaration'));
      return [...this.snippet('tables'), ...words, ...this.values()];
    }
    const arrow = item.indexOf('->');
    if (arrow >= 0 || item[0] === 'upper')
      return [...this.flags('mapping'), ...(item[0] === 'upper' ? [this.word('level', 'clause')] : [])];
    if (item[0] === 'table' && item.includes('level')) return [this.word('at', 'clause')];
    return ['entry', 'table', 'share'].includes(item[0]) && item.length > 1 ? [this.word('level', 'clause')] : this.values();
  }

  /* ------------------------------------------------------------ script */

  private inScript(): CompletionItem[] {
    const { begins, item } = this.context;
    if (begins || /^(?:\w+|vcpu \w+) ?:$/.test(item.join(' '))) return this.statement();
    const from = item[item.lastIndexOf(':') + 1] ?? '';
    const expect = item.lastIndexOf('expect');
    if (expect >= 0) return this.expectation(item.slice(expect + 1));
    if (from === 'host') return this.hostAct(item.slice(item.indexOf('host') + 1));
    const last = item.at(-1) ?? '';
    if (ACCESSES.includes(last) || last === 'invlpg') return this.values();
    if (/^inv(?:pcid|ept|vpid)$/.test(last)) return [...this.words('scope'), ...this.values()];
    if (last === 'only') return [this.word('under', 'clause')];
    if (last === 'on') return [this.word('fault', 'clause')];
    if (last === 'ac') return this.switches();
    if (['x', 'step', 'size', 'level', 'in'].includes(last)) return this.values();
    if (ACCESSES.some((each) => item.includes(each))) return ['expect', 'x', 'step', 'size', 'ac', 'on'].map((each) => this.clause(each));
    return ['expect', 'size', 'level', 'in', 'step', 'under'].map((each) => this.clause(each));
  }

  private statement(): CompletionItem[] {
    const acts = KEYWORDS.filter(({ category }) => category === 'statement').map((each) => this.keyword(each));
    const more = ['host', 'word', 'const'].map((each) => this.word(each, 'declaration'));
    return [
      ...this.snippet('script'),
      ...acts,
      ...more,
      ...this.calls(),
      ...this.names('tables', 'vm', 'vcpu'),
      ...this.builtIn('shadow', 'tdp'),
      ...this.words('register'),
    ];
  }

  private expectation(written: readonly string[]): CompletionItem[] {
    const last = written.at(-1);
    if (last === undefined || last === ',') {
      const words = KEYWORDS.filter(({ category }) => category === 'expectation').map((each) => this.keyword(each));
      return [...words, this.word('word', 'declaration'), ...this.names('tables'), ...this.words('register')];
    }
    const page = written.lastIndexOf('page');
    if (page >= 0 && !written.slice(page).includes(','))
      return last === 'page' ? this.values() : [...this.words('state'), this.clause('not')];
    if (['gpa', 'hva', 'hpa', 'value', 'word', 'exits', 'references', 'slot'].includes(last))
      return [...this.values(), ...(last === 'hpa' ? [this.clause('of')] : [])];
    if (last === 'not' || last === ']' || written.includes(']')) return [...this.flags('entry'), this.clause('not'), this.clause('under')];
    return [this.clause('under'), ...(written.includes('exits') ? [this.clause('of'), this.clause('from')] : []), this.clause('expect')];
  }

  private hostAct(item: readonly string[]): CompletionItem[] {
    const [act] = item;
    const last = item.at(-1);
    if (act === undefined) return KEYWORDS.filter(({ category }) => category === 'host-act').map((each) => this.keyword(each));
    if (act === 'flags' && item.length >= 3) return this.flags('slot');
    if (act === 'protect' && item.length >= 3) return this.flags('protect');
    if (['create', 'delete', 'move', 'resize', 'flags'].includes(last!)) return [this.word('slot', 'declaration')];
    if (last === 'get' || last === 'clear') return [plain('dirty', CompletionItemKind.Keyword)];
    if (last === 'dirty') return [plain('log', CompletionItemKind.Keyword)];
    if (last === 'log') return [this.word('slot', 'declaration')];
    if (['reclaim', 'protect', 'split', 'collapse', 'write'].includes(last!))
      return ['gpa', 'hva'].map((each) => this.word(each, 'expectation'));
    if (last === 'zap') return [this.word('all', 'scope')];
    if (['gpa', 'hva', 'slot', 'to', 'pages'].includes(last!)) return this.values();
    return ['to', 'expect'].map((each) => this.clause(each));
  }

  /* ------------------------------------------------------------ kinds of items */

  private afterDot(owner: string): CompletionItem[] {
    const { place, before } = this.context;
    if (place === 'vcpu') {
      const prefix = `${owner}.`;
      const dotted = Object.entries(SETTING_BLOCKS.vcpu).filter(([name]) => name.startsWith(prefix));
      return dotted.map(([name, spec]) => ({
        ...this.setting(name, spec, 'vcpu'),
        label: name.slice(prefix.length),
        insertText: name.slice(prefix.length),
        insertTextFormat: undefined,
      }));
    }
    const register = REGISTERS[owner];
    if (register) return Object.keys(register.bits).map((each) => this.word(each, 'bit', owner));
    if (before.at(-2) === ']') return Object.keys(BITS).map((each) => this.word(each, 'bit', 'entry'));
    return this.names('tables');
  }

  private words(category: Category): CompletionItem[] {
    return KEYWORDS.filter((each) => each.category === category).map((each) => this.keyword(each));
  }

  private word(word: string, category: Category, of?: string): CompletionItem {
    const data: Data = { word, category, ...(of !== undefined && { of }) };
    return { label: word, kind: KINDS[category], data };
  }

  private clause(word: string): CompletionItem {
    return this.word(word, keywordsFor(word, 'clause')[0]?.category ?? 'clause');
  }

  private keyword({ word, category, of }: Keyword): CompletionItem {
    return this.word(word, category, of);
  }

  private flags(place: FlagPlace): CompletionItem[] {
    return Object.keys(FLAGS[place]).map((each) => this.word(each, 'flag'));
  }

  private switches(): CompletionItem[] {
    return ['on', 'off', 'yes', 'no'].map((each) => this.word(each, 'clause'));
  }

  private values(): CompletionItem[] {
    const values = offeredValues(this.declared, this.way);
    return [...values.map(({ text, about }) => plain(text, CompletionItemKind.Value, about)), ...this.names(...VALUES)];
  }

  private names(...of: readonly DefinitionOf[]): CompletionItem[] {
    return this.inScope(of).map((each) => this.name(each));
  }

  private inScope(of: readonly DefinitionOf[]): NameInScope[] {
    return this.analysis.namesAt(this.offset).filter((each) => of.includes(each.of));
  }

  private name({ name, of }: NameInScope): CompletionItem {
    const data: Data = { uri: this.analysis.uri, offset: this.offset };
    return { label: name, kind: NAME_KINDS[of], detail: of, data };
  }

  private calls(): CompletionItem[] {
    return this.inScope(['block']).map((each) => ({
      ...this.name(each),
      ...(this.snippets && { insertText: `${each.name}($1)`, insertTextFormat: InsertTextFormat.Snippet }),
    }));
  }

  private builtIn(...words: readonly string[]): CompletionItem[] {
    return words.map((each) => ({ ...this.word(each, 'expectation'), kind: CompletionItemKind.Struct }));
  }

  private snippet(place: SnippetPlace): CompletionItem[] {
    if (!this.snippets) return [];
    const facts = snippetFacts(this.declared);
    return SNIPPETS[place]
      .filter(({ fits }) => fits?.(facts) ?? true)
      .map(({ label, body, about }) => ({
        label,
        kind: CompletionItemKind.Snippet,
        detail: about,
        insertText: body(facts).join('\n'),
        insertTextFormat: InsertTextFormat.Snippet,
      }));
  }
}

function plain(label: string, kind: CompletionItemKind, detail?: string): CompletionItem {
  return { label, kind, ...(detail !== undefined && { detail }) };
}

function settingSnippet(name: string, { takes, default: otherwise, choices }: SettingSpec): string {
  if (takes === 'nothing') return name;
  if (takes === 'block') return `${name} {\n\t$0\n}`;
  if (choices) return `${name} \${1|${Object.keys(choices).join(',')}|}`;
  if (takes === 'switch' || takes === 'switch-or-block') return `${name} \${1|on,off|}`;
  return `${name} \${1:${otherwise ?? takes}}`;
}

/** Index of the last opening sign before the end that is not closed; -1 when there is none. */
function lastOpen(tokens: readonly string[], open: string): number {
  const close = open === '(' ? ')' : ']';
  let depth = 0;
  for (let i = tokens.length - 1; i >= 0; i--) {
    if (tokens[i] === close) depth++;
    else if (tokens[i] === open && depth-- === 0) return i;
  }
  return -1;
}
