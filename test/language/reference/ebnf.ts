/** The grammar in EBNF, one rule a line, from the productions that the parser records of its rules. */
import {
  Alternation, NonTerminal, Option, Repetition, RepetitionMandatory, RepetitionMandatoryWithSeparator, RepetitionWithSeparator, Terminal,
  type Alternative, type IProduction, type Rule, type TokenType,
} from 'chevrotain'; // prettier-ignore
import { productions } from '../../../server/src/language/syntax/grammar/recording';
import { explanationOf, isOf, SIGNS } from '../../../server/src/language/syntax/vocabulary';

/** Where each group of rules begins; a rule belongs to the first group that leads to it. */
const GROUPS: { readonly [group: string]: readonly string[] } = {
  'Expressions and ranges': ['expression', 'range', 'span'],
  'Entries, registers, flags, kinds': ['entry', 'register', 'entryBit', 'mappingFlags', 'entryFlags', 'slotFlags', 'protectFlags', 'under', 'constant'],
  'Expectations': ['expect'],
  'Script': ['scriptBody'],
  'Machine': ['host', 'budget', 'vm'],
  'File': ['file'],
}; // prettier-ignore

/** Words of a category are listed where it stands up to this many. */
const MOST_LISTED = 20;

const TOKEN_NAMES: { readonly [token: string]: string } = {
  Word: 'Name', Num: 'Number', Str: 'String', AnyWord: 'Word', VcpuName: '( Name | Number )',
}; // prettier-ignore

const TOKENS: readonly string[] = [
  'Name ::= /* a letter or _, then letters, digits and _; no reserved word */',
  'Word ::= /* a name or a reserved word */',
  'Number ::= /* decimal, with K, M, G or T behind it where wanted; hexadecimal after 0x; binary after 0b; _ between digits */',
  'String ::= /* characters of one line between quotes */',
];

/** All rules, in their groups. */
export function ebnf(): string {
  return new Ebnf(productions()).text();
}

class Ebnf {
  private readonly group = new Map<string, string>();
  /** Categories of words that are too many to be listed, with what they are. */
  private readonly named = new Map<string, string>();

  constructor(private readonly productions: { readonly [rule: string]: Rule }) {
    for (const [group, roots] of Object.entries(GROUPS)) for (const root of roots) this.assign(root, group);
    const left = Object.keys(productions).filter((name) => !this.group.has(name));
    if (left.length > 0) throw new Error(`nothing leads to the rules ${left.join(', ')}`);
  }

  text(): string {
    const groups = Object.keys(GROUPS).reverse().map((group) => {
      const rules = [...this.group].filter(([, of]) => of === group).map(([name]) => this.rule(name));
      return [`/* ${group} */`, ...rules].join('\n');
    }); // prettier-ignore
    const words = [...this.named]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, what]) => `${name} ::= /* a word, listed below: ${what} */`);
    return [...groups, ['/* Tokens */', ...words, ...TOKENS].join('\n')].join('\n\n');
  }

  /** In the order in which rules lead to each other, depth first. */
  private assign(name: string, group: string): void {
    if (this.group.has(name)) return;
    this.group.set(name, group);
    for (const next of referencesIn(this.productions[name].definition)) this.assign(next, group);
  }

  private rule(name: string): string {
    return `${ruleName(name)} ::= ${this.sequenceOrChoice(this.productions[name].definition)}`;
  }

  private choice({ definition }: Alternation): string[] {
    const all = definition.map((alternative) => this.sequence((alternative as Alternative).definition));
    // A choice within a choice is a part of it.
    return [...new Set(all.flatMap((text) => /^\( ([^()]*) \)$/.exec(text)?.[1].split(' | ') ?? text))];
  }

  private sequence(parts: readonly IProduction[]): string {
    return parts.map((part) => this.part(part)).join(' ');
  }

  /** A rule, or what repeats: one that is a choice needs no parentheses of its own. */
  private sequenceOrChoice(parts: readonly IProduction[]): string {
    const [only] = parts;
    return parts.length === 1 && only instanceof Alternation ? this.choice(only).join(' | ') : this.sequence(parts);
  }

  private part(part: IProduction): string {
    if (part instanceof Terminal) return this.terminal(part.terminalType);
    if (part instanceof NonTerminal) return ruleName(part.nonTerminalName);
    if (part instanceof Alternation) return oneOf(this.choice(part));
    const inner = this.sequenceOrChoice((part as Option).definition);
    if (part instanceof Option) return `${grouped(inner)}?`;
    if (part instanceof Repetition) return `${grouped(inner)}*`;
    if (part instanceof RepetitionMandatory) return `${grouped(inner)}+`;
    if (part instanceof RepetitionMandatoryWithSeparator) return `${inner} ( ${this.terminal(part.separator)} ${inner} )*`;
    if (part instanceof RepetitionWithSeparator) return `( ${inner} ( ${this.terminal(part.separator)} ${inner} )* )?`;
    return inner;
  }

  private terminal(type: TokenType): string {
    const explained = explanationOf(type);
    if (explained && explained.words.length <= MOST_LISTED) return oneOf(explained.words.map(quoted));
    if (explained) {
      this.named.set(type.name, explained.what);
      return type.name;
    }
    const signs = SIGNS.filter((sign) => sign !== type && isOf(sign, type));
    if (signs.length > 0) return oneOf([...new Set(signs.map(labelOf))].map(quoted));
    return TOKEN_NAMES[type.name] ?? quoted(labelOf(type));
  }
}

const labelOf = ({ LABEL }: TokenType): string => LABEL!.slice(1, -1);
const quoted = (text: string): string => `"${text}"`;
const oneOf = (all: readonly string[]): string => (all.length === 1 ? all[0] : `( ${all.join(' | ')} )`);
const grouped = (text: string): string => (/^(?:[^ ]+|\( [^()]* \))$/.test(text) ? text : `( ${text} )`);

/** Rules that are called otherwise here. */
const RULE_NAMES: { readonly [rule: string]: string } = { importOf: 'import' };

/** `vmItem` as `vm-item`. */
function ruleName(name: string): string {
  return RULE_NAMES[name] ?? name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}

function* referencesIn(parts: readonly IProduction[]): Generator<string> {
  for (const part of parts) {
    if (part instanceof NonTerminal) yield part.nonTerminalName;
    else if (!(part instanceof Terminal)) yield* referencesIn((part as Option).definition);
  }
}
