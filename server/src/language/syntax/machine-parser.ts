/** Declarations of the machine: host, budget, VMs, slots, vCPUs, tables. */
import type { TokenType } from 'chevrotain';
import { ExpectationParser } from './expectation-parser';
import { OUTER } from './soft-parser';
import * as t from './tokens';
import type {
  Body, Budget, ErrorNode, Expression, For, Handler, Host, Load, Mapping, MemoryWord, Placement, RawEntry,
  Setting, Share, Slot, Statement, Tables, TablesItem, Upper, Vcpu, Vm, VmItem,
} from './tree'; // prettier-ignore
import { FORMATS } from './words/observed';
import { SETTING_BLOCKS, type SettingBlock, type SettingSpec } from './words/settings';

type SettingsBody = Body<Setting | ErrorNode> | null;
/** Where a loop stands decides what its body holds. */
export type ForIn = 'script' | 'vm' | 'tables';

const VM = t.reserved('vm');
const SLOT = t.reserved('slot');
const VCPU = t.reserved('vcpu');
const TABLES = t.reserved('tables');
const CONST = t.reserved('const');
const FOR = t.reserved('for');
const ON = t.reserved('on');

const words = (...more: string[]): ReadonlySet<TokenType> => new Set([...OUTER, ...more.map(t.reserved)]);
/** Words that show that the `}` of settings, of a VM, or of tables is missing. */
const AFTER_SETTINGS = words('vm', 'slot', 'vcpu', 'tables', 'const', 'for', 'expect', 'read', 'write');
const AFTER_VM = words('host', 'expect', 'read', 'write', 'user', 'supervisor');
const AFTER_TABLES = words('host', 'vm', 'slot', 'vcpu', 'tables', 'expect', 'read', 'write');

const WHAT: { readonly [takes: string]: string } = {
  size: 'a size',
  address: 'an address',
  number: 'a number',
  switch: 'on or off',
  geometry: 'sets x ways',
};

export abstract class MachineParser extends ExpectationParser {
  protected abstract scriptBody(what: string): Body<Statement> | null;

  /* ------------------------------------------------------------ settings */

  protected settings(block: SettingBlock, what: string): SettingsBody {
    return this.braces<Setting>(what, () => this.setting(block), AFTER_SETTINGS);
  }

  protected setting(block: SettingBlock): Setting | null {
    const start = this.here();
    const token = this.need(`a setting of ${block}`, t.Word);
    if (!token) return null;
    const name = this.wordOf(token, 'setting');
    const bit = this.bitOrNull();
    const full = bit ? `${name.text}.${bit.text}` : name.text;
    const specs = SETTING_BLOCKS[block];
    const spec = Object.hasOwn(specs, full) ? specs[full]! : null;
    let value: Expression | null = null;
    let second: Expression | null = null;
    let body: SettingsBody = null;
    if (!spec) {
      this.unknown('unknown-setting', `setting of ${block}`, { text: full, range: this.since(start) }, Object.keys(specs));
      value = this.unknownValue(block);
    } else if (spec.takes === 'block' || (spec.takes === 'switch-or-block' && this.is(t.LCurly))) {
      body = this.settings(spec.block!, name.text);
    } else if (spec.takes === 'choice') {
      value = this.choice(spec, full);
    } else if (spec.takes !== 'nothing') {
      value = this.settingValue(block, spec, full);
    }
    if (spec?.takes === 'geometry') {
      this.needWord('x');
      second = this.expression('a number of ways');
    }
    return { kind: 'setting', name, bit, value, second, body, range: this.since(start) };
  }

  /** A value, unless the next setting stands where it should. */
  private settingValue(block: SettingBlock, spec: SettingSpec, name: string): Expression {
    const what = `${WHAT[spec.takes] ?? 'a value'} after ${name}`;
    const isSetting = this.is(t.Word) && Object.hasOwn(SETTING_BLOCKS[block], this.next().image);
    const itsValue = [t.Num, t.Word].includes(this.next(2).tokenType) && !this.onNewLine(2);
    if (!isSetting || !itsValue || this.broken()) return this.expression(what);
    this.report('expected', `expected ${what}`, this.behind());
    return { kind: 'missing', range: this.behind() };
  }

  /** What stands behind an unknown setting, as far as it can be its value. */
  private unknownValue(block: SettingBlock): Expression | null {
    const isValue = [t.Num, t.Word, t.LParen].includes(this.next().tokenType) && !this.onNewLine();
    if (isValue && !Object.hasOwn(SETTING_BLOCKS[block], this.next().image)) return this.expression();
    this.panic ||= this.is(t.LCurly);
    return null;
  }

  private choice(spec: SettingSpec, name: string): Expression {
    const choices = Object.keys(spec.choices ?? {});
    const token = this.need(`${choices.slice(0, -1).join(', ')} or ${choices.at(-1)} after ${name}`, t.Word, t.Mode, t.Version, t.Num);
    if (!token) return { kind: 'missing', range: this.behind() };
    const word = this.wordOf(token, 'choice');
    this.checkWord(name, word, spec.choices ?? {}, 'unknown-choice');
    return word;
  }

  protected host(): Host {
    const start = this.take().startOffset;
    const body = this.settings('host', 'host');
    return { kind: 'host', body, range: this.since(start) };
  }

  protected budget(): Budget {
    const start = this.take().startOffset;
    const body = this.settings('budget', 'budget');
    return { kind: 'budget', body, range: this.since(start) };
  }

  protected slot(): Slot {
    const start = this.take().startOffset;
    const id = this.expression('the id of the slot');
    const body = this.settings('slot', `slot ${this.textOf(id)}`);
    return { kind: 'slot', id, body, range: this.since(start) };
  }

  /** An expression as it stands, for messages. */
  private textOf(expression: Expression): string {
    return this.text.slice(expression.range.start, Math.min(expression.range.end, expression.range.start + 30));
  }

  /* ------------------------------------------------------------ virtual machines */

  protected vm(): Vm {
    const start = this.take().startOffset;
    const name = this.definition('vm', 'the name of the vm');
    const body = this.vmBody(name ? `vm ${name.text}` : 'vm');
    return { kind: 'vm', name, body, range: this.since(start) };
  }

  private vmBody(what: string): Body<VmItem> | null {
    return this.braces<VmItem>(what, () => this.vmItem(), AFTER_VM);
  }

  private vmItem(): VmItem | null {
    switch (this.next().tokenType) {
      case SLOT:
        return this.slot();
      case VCPU:
        return this.vcpu();
      case TABLES:
        return this.tables();
      case VM:
        return this.vm();
      case CONST:
        return this.constant();
      case FOR:
        return this.loop('vm');
      case t.Word:
        if (this.isWord('word')) return this.memoryWord();
        return this.isWord('load') ? this.load() : this.setting('vm');
    }
    this.expected('slot, vcpu, tables, word, vm, or a setting as mmu');
    return null;
  }

  private vcpu(): Vcpu {
    const start = this.take().startOffset;
    const token = this.broken() ? null : this.maybe(t.Num, t.Word);
    const name = token && { kind: 'definition' as const, of: 'vcpu' as const, text: token.image, range: t.rangeOf(token) };
    const what = name ? `vcpu ${name.text}` : 'vcpu';
    const body = this.braces<Setting | Handler>(what, () => (this.is(ON) ? this.handler() : this.setting('vcpu')), AFTER_SETTINGS);
    return { kind: 'vcpu', name, body, range: this.since(start) };
  }

  protected handler(): Handler {
    const start = this.take().startOffset;
    this.needWord('fault');
    const body = this.scriptBody('on fault');
    return { kind: 'handler', body, range: this.since(start) };
  }

  protected memoryWord(): MemoryWord {
    const start = this.take().startOffset;
    const gpa = this.expression('a guest-physical address');
    this.needSign(t.Assign);
    const value = this.expression();
    const size = this.clause('size') && this.take() ? this.expression('a size') : null;
    return { kind: 'memory-word', gpa, value, size, expects: [], range: this.since(start) };
  }

  private load(): Load {
    const start = this.take().startOffset;
    const path = this.string('the path of a file in quotes');
    this.needWord('at');
    const at = this.expression('a guest-physical address');
    return { kind: 'load', path, at, range: this.since(start) };
  }

  /* ------------------------------------------------------------ tables */

  private tables(): Tables {
    const start = this.take().startOffset;
    const name = this.definition('tables', 'the name of the tables');
    const token = this.isWord('at') || this.broken() ? null : this.maybe(t.Mode, t.Word);
    const format = token && this.wordOf(token, 'format');
    if (format) this.checkWord('format of tables', format, FORMATS);
    const at = this.gotWord('at') ? this.rangeExpression('the address of the root') : null;
    const body = this.tablesBody(name ? `tables ${name.text}` : 'tables');
    return { kind: 'tables', name, format, at, body, range: this.since(start) };
  }

  private tablesBody(what: string): Body<TablesItem> | null {
    return this.braces<TablesItem>(what, () => this.tablesItem(), AFTER_TABLES);
  }

  private tablesItem(): TablesItem {
    if (this.is(CONST)) return this.constant();
    if (this.is(FOR)) return this.loop('tables');
    if (this.beginsItem('entry')) return this.rawEntry();
    if (this.beginsItem('upper')) return this.upper();
    if (this.beginsItem('table')) return this.placement();
    if (this.beginsItem('share')) return this.share();
    return this.mapping();
  }

  /** A word that begins an item of tables, not a constant of that name that begins a mapping. */
  private beginsItem(word: string): boolean {
    return this.isWord(word) && ([t.Num, t.Word, t.LParen].includes(this.next(2).tokenType) || this.onNewLine(2));
  }

  private mapping(): Mapping {
    const from = this.rangeExpression('a mapping, as `0x40_0000 +2M -> 0x20_0000 rw user`', true);
    this.needSign(t.Arrow);
    const to = this.expression('the address that it maps to');
    const flags = this.flags('mapping');
    return { kind: 'mapping', from, to, flags, range: this.since(from.range.start) };
  }

  private level(): Expression | null {
    if (!this.needWord('level')) return null;
    return this.expression('a level, 1 to 5');
  }

  private rawEntry(): RawEntry {
    const start = this.take().startOffset;
    const address = this.expression('an address');
    const level = this.level();
    this.needSign(t.Assign);
    const value = this.expression('the value of the entry');
    return { kind: 'raw-entry', address, level, value, range: this.since(start) };
  }

  private upper(): Upper {
    const start = this.take().startOffset;
    const address = this.rangeExpression();
    const level = this.level();
    const flags = this.flags('mapping');
    if (flags.length === 0) this.expected('rights, as ro or user');
    return { kind: 'upper', address, level, flags, range: this.since(start) };
  }

  private placement(): Placement {
    const start = this.take().startOffset;
    const address = this.expression('an address');
    const level = this.level();
    this.needWord('at');
    const at = this.expression('the address of the table');
    return { kind: 'placement', address, level, at, range: this.since(start) };
  }

  private share(): Share {
    const start = this.take().startOffset;
    const tables = this.reference('table', 'the name of tables');
    const address = this.rangeExpression();
    const level = this.clause('level') ? this.level() : null;
    return { kind: 'share', tables, address, level, range: this.since(start) };
  }

  /* ------------------------------------------------------------ loops */

  protected loop(where: ForIn): For {
    const start = this.take().startOffset;
    const name = this.definition('loop', 'a name');
    this.needWord('in');
    const over = this.rangeExpression('a range, as `0 .. 15`', true);
    const step = this.gotWord('step') ? this.expression('a step') : null;
    const body = where === 'script' ? this.scriptBody('for') : where === 'vm' ? this.vmBody('for') : this.tablesBody('for');
    return { kind: 'for', name, over, step, body, range: this.since(start) };
  }
}
