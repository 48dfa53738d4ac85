/** Settings: one rule a block, made of the table of settings. */
import type { SubruleMethodOpts, TokenType } from 'chevrotain';
import * as t from '../tokens';
import type { Token } from '../tokens';
import type { Body, ErrorNode, Expression, Setting, Word } from '../tree';
import { SETTING_BLOCKS, type SettingBlock, type SettingSpec, type Takes } from '../words/settings';
import { OUTER, type BodyOf } from './lists';
import { value, type Grammar, type Rule, type Value, type ValueOf } from './rule';

type SettingsBody = Body<Setting | ErrorNode> | null;
type Given = Pick<Setting, 'name'> & Partial<Pick<Setting, 'bit' | 'value' | 'second' | 'body'>>;

/** Words that show that the `}` of settings is missing. */
const AFTER_SETTINGS = t.kindsOf([...OUTER, 'vm', 'slot', 'vcpu', 'tables', 'const', 'for', 'expect', 'read', 'write']);

const WHAT: { readonly [takes: string]: string } = {
  size: 'a size',
  address: 'an address',
  number: 'a number',
  switch: 'on or off',
  geometry: 'sets x ways',
};

const KINDS: { readonly [takes in Takes]?: ValueOf } = {
  size: 'size',
  address: 'address',
  number: 'number',
  switch: 'switch',
  geometry: 'sets',
};
const WAYS = value('a number of ways', 'ways');

/** The value of a setting, as it is told apart in completion: `gpa` and `hva` of slots. */
function valueOf(name: string, { takes }: SettingSpec): SubruleMethodOpts<[Value]> {
  const of = name === 'gpa' || name === 'hva' ? name : name === 'cr3' || name === 'root' ? 'root' : (KINDS[takes] ?? 'switch');
  return value(`${WHAT[takes] ?? 'a value'} after ${name}`, of, { owner: name });
}

function settingRule(block: SettingBlock): Rule<[], Setting | null> {
  const specs = SETTING_BLOCKS[block];
  const { byTakes, choices, dotted } = t.SETTING_TYPES[block];
  const values = new Map(Object.entries(specs).map(([name, spec]) => [name, valueOf(name, spec)]));
  const spec = (name: string): SettingSpec | null => (Object.hasOwn(specs, name) ? specs[name]! : null);
  return ($) => {
    let occurrence = 0;
    const named = (token: Token): Word => $.wordOf(token, 'setting');
    const hasValue = (): boolean => ($.is(t.Num, 2) || $.is(t.Word, 2)) && !$.onNewLine(2);
    /** A value, unless the next setting stands where it should. */
    const read = (index: number, name: string, takes: Takes): Expression => {
      const argument = values.get(name) ?? value('a value', KINDS[takes] ?? 'value');
      const isSetting = $.is(t.Word) && Object.hasOwn(specs, $.next().image);
      if (!isSetting || !hasValue() || $.broken()) return $.subrule(index, $.expression, argument);
      $.report('expected', `expected ${argument.ARGS![0].what}`, $.behind());
      return { kind: 'missing', range: $.behind() };
    };
    const GATE = (): boolean => !$.is(t.Dot, 2);
    const inner = (index: number, name: string): SettingsBody =>
      $.subrule(index, $[`${specs[name]!.block as 'cpu' | 'tlb' | 'kvm' | 'cpuid'}Settings`], { ARGS: [name] });

    /** Settings that all take the same. */
    const alike = (takes: Takes, type: TokenType): (() => Given) => {
      const index = occurrence++;
      switch (takes) {
        case 'nothing':
          return () => ({ name: named($.CONSUME(type)) });
        case 'geometry':
          return () => {
            const name = named($.CONSUME(type));
            const sets = read(index, name.text, takes);
            $.CONSUME(t.word('x'));
            return { name, value: sets, second: $.subrule(100 + index, $.expression, WAYS) };
          };
        default:
          return () => {
            const name = named($.CONSUME(type));
            return { name, value: read(index, name.text, takes) };
          };
      }
    };
    /** A setting by its name. */
    const single = (name: string, takes: Takes): (() => Given) => {
      const index = occurrence++;
      const type = t.word(name);
      if (takes === 'block') return () => ({ name: named($.CONSUME(type)), body: inner(index, name) });
      if (takes === 'choice') {
        const read = choice($, name, choices.get(name)!, spec(name)!);
        return () => ({ name: named($.CONSUME(type)), value: read() });
      }
      const either = [
        { ALT: (): Omit<Given, 'name'> => ({ body: inner(index, name) }) },
        { ALT: (): Omit<Given, 'name'> => ({ value: read(index, name, takes) }) },
      ];
      const there = { DEF: either, ELSE: either[1]!.ALT };
      return () => ({ name: named($.CONSUME(type)), ...$.OR1(there) });
    };
    /** `cr0.wp` */
    const withBit = (before: string, bits: TokenType): { GATE: () => boolean; ALT: () => Given } => {
      const index = occurrence++;
      const type = t.word(before);
      return {
        GATE: () => $.may(t.Dot, 2) && $.may(bits, 3),
        ALT: () => {
          const name = named($.CONSUME(type));
          $.consume(index, t.Dot);
          const bit = $.wordOf($.CONSUME(bits), 'bit');
          return { name, bit, value: read(index, `${before}.${bit.text}`, 'switch') };
        },
      };
    };
    const alternatives = [...byTakes].flatMap(([takes, type]) => {
      if (takes !== 'block' && takes !== 'choice' && takes !== 'switch-or-block') return [{ GATE, ALT: alike(takes, type) }];
      return t.explanationOf(type)!.words.map((name) => ({ GATE, ALT: single(name, takes) }));
    });
    const settings = {
      DEF: [...alternatives, ...[...dotted].map(([before, bits]) => withBit(before, bits))],
      ELSE: (): Given | null => strange($, block, spec, read),
    };
    return () => {
      const start = $.here();
      const given = $.OR(settings);
      if (!given) return null;
      const { name, bit = null, value = null, second = null, body = null } = given;
      return { kind: 'setting', name, bit, value, second, body, range: $.since(start) };
    };
  };
}

function choice($: Grammar, name: string, type: TokenType, { choices = {} }: SettingSpec): () => Expression {
  const texts = Object.keys(choices);
  const missing = { ERR_MSG: `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)} after ${name}` };
  const isStrange = (): boolean => !$.is(type) && !$.broken() && [t.Word, t.Mode, t.Version, t.Num].some((each) => $.is(each));
  return () => {
    const token = isStrange() ? $.strange(type, 'unknown-choice') : $.CONSUME(type, missing);
    return $.isThere(token) ? $.wordOf(token, 'choice') : { kind: 'missing', range: $.behind() };
  };
}

/** A setting that the block does not have, with its value; or one of a register without a bit, or the other way round. */
function strange(
  $: Grammar,
  block: SettingBlock,
  spec: (name: string) => SettingSpec | null,
  read: (index: number, name: string, takes: Takes) => Expression,
): Given | null {
  if (!$.is(t.Word) || $.broken()) {
    $.expected(`a setting of ${block}`);
    return null;
  }
  const start = $.here();
  const name = $.wordOf($.take(), 'setting');
  let bit: Word | null = null;
  if ($.is(t.Dot)) {
    $.take();
    if (!$.broken() && ($.is(t.Word) || $.is(t.word('user')))) bit = $.wordOf($.take(), 'bit');
    else $.expected('the name of a bit');
  }
  const full = bit ? `${name.text}.${bit.text}` : name.text;
  if (spec(full)) return { name, bit, value: $.panic ? { kind: 'missing', range: $.behind() } : read(0, full, 'switch') };
  const names = Object.keys(SETTING_BLOCKS[block]);
  $.unknown('unknown-setting', `setting of ${block}`, { text: full, range: $.since(start) }, names);
  const isValue = ($.is(t.Num) || $.is(t.Word) || $.is(t.LParen)) && !$.onNewLine();
  if (isValue && !names.includes($.next().image)) return { name, bit, value: $.SUBRULE($.expression, value('a value', 'value')) };
  $.panic ||= $.is(t.LCurly);
  return { name, bit };
}

/** `{ … }` of a block; `what` is closed by the brace. */
function bodyRule(block: Exclude<SettingBlock, 'vm' | 'vcpu'>): Rule<[string], SettingsBody> {
  return ($) => (what) => $.BRACES(block satisfies BodyOf, what, $[`${block}Setting`], AFTER_SETTINGS);
}

export const hostSetting = settingRule('host');
export const cpuSetting = settingRule('cpu');
export const tlbSetting = settingRule('tlb');
export const kvmSetting = settingRule('kvm');
export const budgetSetting = settingRule('budget');
export const vmSetting = settingRule('vm');
export const cpuidSetting = settingRule('cpuid');
export const slotSetting = settingRule('slot');
export const vcpuSetting = settingRule('vcpu');
export const hostSettings = bodyRule('host');
export const cpuSettings = bodyRule('cpu');
export const tlbSettings = bodyRule('tlb');
export const kvmSettings = bodyRule('kvm');
export const budgetSettings = bodyRule('budget');
export const cpuidSettings = bodyRule('cpuid');
export const slotSettings = bodyRule('slot');
