/** Declarations of the machine: host, budget, VMs, slots, vCPUs, tables. */
import type { ParserMethod, TokenType } from 'chevrotain';
import { ExpressionParser } from './expression-parser';
import * as t from './tokens';
import type {
  Body, Budget, ErrorNode, Expression, For, Handler, Host, Load, Mapping, MemoryWord, Placement, RangeExpression, RawEntry,
  Setting, Share, Slot, Statement, Tables, TablesItem, Upper, Vcpu, Vm, VmItem, Word,
} from './tree'; // prettier-ignore
import { FORMATS } from './words/observed';
import { SETTING_BLOCKS, type SettingBlock, type SettingSpec } from './words/settings';

type SettingsBody = Body<Setting | ErrorNode> | null;
/** Where a loop stands decides what its body holds. */
export type ForIn = 'script' | 'vm' | 'tables';

const HOST = t.reserved('host');
const VM = t.reserved('vm');
const SLOT = t.reserved('slot');
const VCPU = t.reserved('vcpu');
const TABLES = t.reserved('tables');
const CONST = t.reserved('const');
const FOR = t.reserved('for');
const ON = t.reserved('on');

const FILE_WORDS = ['import', 'budget', 'block', 'run'];
const words = (...more: string[]): ReadonlySet<TokenType> => new Set([...FILE_WORDS, ...more].map(t.reserved));
/** Words that show that the `}` of settings, of a VM, or of tables is missing. */
const AFTER_SETTINGS = words('vm', 'slot', 'vcpu', 'tables', 'const', 'for', 'expect', 'read', 'write');
const AFTER_VCPU = AFTER_SETTINGS;
const AFTER_VM = words('host', 'expect', 'read', 'write', 'user', 'supervisor');
const AFTER_TABLES = words('host', 'vm', 'slot', 'vcpu', 'tables', 'expect', 'read', 'write');

const WHAT: { readonly [takes: string]: string } = {
  size: 'a size',
  address: 'an address',
  number: 'a number',
  switch: 'on or off',
  geometry: 'sets x ways',
};

export abstract class MachineParser extends ExpressionParser {
  protected abstract readonly scriptBody: ParserMethod<[what?: string], Body<Statement> | null>;

  /* ------------------------------------------------------------ settings */

  protected readonly settings: ParserMethod<[block?: SettingBlock, what?: string], SettingsBody> = this.RULE(
    'settings',
    (block: SettingBlock = 'host', what: string = block): SettingsBody =>
      this.braces<Setting>(what, () => this.subrule(0, this.setting, { ARGS: [block] }), AFTER_SETTINGS),
  );

  protected readonly setting: ParserMethod<[block?: SettingBlock], Setting | null> = this.RULE(
    'setting',
    (block: SettingBlock = 'host'): Setting | null => {
      const start = this.here();
      const token = this.need(0, t.Word, `a setting of ${block}`);
      if (!token) return null;
      const bit = this.option(0, () => this.subrule(0, this.bit)) ?? null;
      const name = this.wordOf(token, 'setting');
      const specs = SETTING_BLOCKS[block];
      const full = bit ? `${name.text}.${bit.text}` : name.text;
      const spec = specs[full];
      if (!spec && !this.panic && !this.RECORDING_PHASE) {
        this.unknown('unknown-setting', `setting of ${block}`, { text: full, range: this.since(start) }, Object.keys(specs));
        this.panic = true;
      }
      let value: Expression | null = null;
      let second: Expression | null = null;
      let body: SettingsBody = null;
      switch (spec?.takes) {
        case 'switch-or-block':
        case 'block':
          if (spec.takes === 'block' || this.is(t.LCurly)) body = this.subrule(1, this.settings, { ARGS: [spec.block!, name.text] });
          else value = this.settingValue(block, spec, full);
          break;
        case 'choice':
          value = this.choice(spec, full);
          break;
        case 'geometry':
          value = this.settingValue(block, spec, full);
          this.needWord(3, 'x');
          second = this.subrule(3, this.expression, { ARGS: ['a number of ways'] });
          break;
        case 'nothing':
          break;
        default:
          if (spec) value = this.settingValue(block, spec, full);
      }
      return { kind: 'setting', name, bit, value, second, body, range: this.since(start) };
    },
  );

  /** A value, unless the next setting stands where it should. */
  private settingValue(block: SettingBlock, spec: SettingSpec, name: string): Expression {
    const setting = this.is(t.Word) && this.LA(1).image in SETTING_BLOCKS[block];
    if (setting && (this.onNewLine() || [t.Num, t.Word].includes(this.LA(2).tokenType))) return this.noValue(spec, name);
    return this.subrule(2, this.expression, { ARGS: [`${WHAT[spec.takes] ?? 'a value'} after ${name}`] });
  }

  private noValue(spec: SettingSpec, name: string): Expression {
    const behind = { start: this.lastEnd(), end: this.lastEnd() };
    this.report('expected', `expected ${WHAT[spec.takes] ?? 'a value'} after ${name}`, behind);
    return { kind: 'missing', range: behind };
  }

  private choice(spec: SettingSpec, name: string): Expression {
    const choices = Object.keys(spec.choices ?? {});
    const what = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
    const token = this.oneOf(5, t.Word, t.Mode, t.Version, t.Num);
    if (!token) return this.missing(`${what} after ${name}`);
    const word = this.wordOf(token, 'choice');
    if (!choices.includes(word.text)) this.unknownChoice(name, word, choices);
    return word;
  }

  private unknownChoice(name: string, word: Word, choices: readonly string[]): void {
    if (!this.RECORDING_PHASE) this.unknown('unknown-choice', name, word, choices);
  }

  protected readonly host = this.RULE('host', (): Host => {
    const start = this.here();
    this.consume(0, HOST);
    const body = this.subrule(0, this.settings, { ARGS: ['host', 'host'] });
    return { kind: 'host', body, range: this.since(start) };
  });

  protected readonly budget = this.RULE('budget', (): Budget => {
    const start = this.here();
    this.consume(0, t.reserved('budget'));
    const body = this.subrule(0, this.settings, { ARGS: ['budget', 'budget'] });
    return { kind: 'budget', body, range: this.since(start) };
  });

  protected readonly slot = this.RULE('slot', (): Slot => {
    const start = this.here();
    this.consume(0, SLOT);
    const id = this.subrule(0, this.expression, { ARGS: ['the id of the slot'] });
    const body = this.subrule(1, this.settings, { ARGS: ['slot', `slot ${this.textOf(id)}`] });
    return { kind: 'slot', id, body, range: this.since(start) };
  });

  /** An expression as it stands, for messages. */
  private textOf(expression: Expression): string {
    return this.RECORDING_PHASE ? '' : this.text.slice(expression.range.start, Math.min(expression.range.end, expression.range.start + 30));
  }

  /* ------------------------------------------------------------ virtual machines */

  protected readonly vm = this.RULE('vm', (): Vm => {
    const start = this.here();
    this.consume(0, VM);
    const name = this.definition(1, 'vm', 'the name of the vm');
    const body = this.subrule(0, this.vmBody, { ARGS: [name ? `vm ${name.text}` : 'vm'] });
    return { kind: 'vm', name, body, range: this.since(start) };
  });

  protected readonly vmBody: ParserMethod<[what?: string], Body<VmItem> | null> = this.RULE('vmBody', (what = 'vm') =>
    this.braces<VmItem>(what, () => this.subrule(0, this.vmItem), AFTER_VM),
  );

  private readonly vmItem: ParserMethod<[], VmItem | null> = this.RULE('vmItem', () =>
    this.or<VmItem | null>(0, [
      { ALT: () => this.subrule(0, this.slot) },
      { ALT: () => this.subrule(1, this.vcpu) },
      { ALT: () => this.subrule(2, this.tables) },
      { ALT: () => this.subrule(3, this.vm) },
      { ALT: () => this.subrule(4, this.constant) },
      { ALT: () => this.subrule(5, this.loop, { ARGS: ['vm'] }) },
      { GATE: () => this.isWord('word'), ALT: () => this.subrule(6, this.memoryWord) },
      { GATE: () => this.isWord('load'), ALT: () => this.subrule(7, this.load) },
      { ALT: () => this.subrule(8, this.setting, { ARGS: ['vm'] }), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.nothing('slot, vcpu, tables, word, vm, or a setting as mmu') },
    ]),
  );

  /** No item begins here. */
  protected nothing(what: string): null {
    this.expected(what);
    return null;
  }

  private readonly vcpu = this.RULE('vcpu', (): Vcpu => {
    const start = this.here();
    this.consume(0, VCPU);
    const token = this.oneOf(1, t.Num, t.Word);
    const name = token && { kind: 'definition' as const, of: 'vcpu' as const, text: token.image, range: t.rangeOf(token) };
    const body = this.subrule(0, this.vcpuBody, { ARGS: [name ? `vcpu ${name.text}` : 'vcpu'] });
    return { kind: 'vcpu', name, body, range: this.since(start) };
  });

  private readonly vcpuBody: ParserMethod<[what?: string], Body<Setting | Handler | ErrorNode> | null> = this.RULE('vcpuBody', (what = 'vcpu') =>
    this.braces<Setting | Handler>(
      what,
      () =>
        this.or<Setting | Handler | null>(0, [
          { ALT: () => this.subrule(0, this.handler) },
          { ALT: () => this.subrule(1, this.setting, { ARGS: ['vcpu'] }) },
          { ALT: () => this.nothing('a setting of vcpu, as cr3') },
        ]),
      AFTER_VCPU,
    ),
  );

  protected readonly handler = this.RULE('handler', (): Handler => {
    const start = this.here();
    this.consume(0, ON);
    this.needWord(1, 'fault');
    const body = this.subrule(0, this.scriptBody, { ARGS: ['on fault'] });
    return { kind: 'handler', body, range: this.since(start) };
  });

  protected readonly memoryWord: ParserMethod<[], MemoryWord> = this.RULE('memoryWord', (): MemoryWord => {
    const start = this.here();
    this.consume(0, t.Word);
    const gpa = this.subrule(0, this.expression, { ARGS: ['a guest-physical address'] });
    this.need(1, t.Assign);
    const value = this.subrule(1, this.expression);
    const size = this.option(0, {
      GATE: () => this.clause('size'),
      DEF: () => {
        this.consume(2, t.Word);
        return this.subrule(2, this.expression, { ARGS: ['a size'] });
      },
    });
    return { kind: 'memory-word', gpa, value, size: size ?? null, expects: [], range: this.since(start) };
  });

  private readonly load = this.RULE('load', (): Load => {
    const start = this.here();
    this.consume(0, t.Word);
    const path = this.string(1, 'the path of a file in quotes');
    this.needWord(2, 'at');
    const at = this.subrule(0, this.expression, { ARGS: ['a guest-physical address'] });
    return { kind: 'load', path, at, range: this.since(start) };
  });

  /* ------------------------------------------------------------ tables */

  private readonly tables = this.RULE('tables', (): Tables => {
    const start = this.here();
    this.consume(0, TABLES);
    const name = this.definition(1, 'tables', 'the name of the tables');
    const token = this.maybe(2, t.Mode) ?? this.maybe(3, t.Word, () => this.LA(1).image !== 'at');
    const format = token && this.wordOf(token, 'format');
    if (format && !this.RECORDING_PHASE && !(format.text in FORMATS)) this.unknown('unknown-word', 'format of tables', format, Object.keys(FORMATS));
    const at = this.gotWord(4, 'at') ? this.subrule(0, this.rangeOf, { ARGS: ['the address of the root'] }) : null;
    const body = this.subrule(1, this.tablesBody, { ARGS: [name ? `tables ${name.text}` : 'tables'] });
    return { kind: 'tables', name, format, at, body, range: this.since(start) };
  });

  protected readonly tablesBody: ParserMethod<[what?: string], Body<TablesItem> | null> = this.RULE('tablesBody', (what = 'tables') =>
    this.braces<TablesItem>(what, () => this.subrule(0, this.tablesItem), AFTER_TABLES),
  );

  private readonly tablesItem: ParserMethod<[], TablesItem | null> = this.RULE('tablesItem', () =>
    this.or<TablesItem | null>(
      0,
      [
        { ALT: () => this.subrule(0, this.constant) },
        { ALT: () => this.subrule(1, this.loop, { ARGS: ['tables'] }) },
        { GATE: () => this.item('entry'), ALT: () => this.subrule(2, this.rawEntry) },
        { GATE: () => this.item('upper'), ALT: () => this.subrule(3, this.upper) },
        { GATE: () => this.item('table'), ALT: () => this.subrule(4, this.placement) },
        { GATE: () => this.item('share'), ALT: () => this.subrule(5, this.share) },
        { ALT: () => this.subrule(6, this.mapping), IGNORE_AMBIGUITIES: true },
      ],
    ),
  );

  /** A word that begins an item of tables, not a constant of that name that begins a mapping. */
  private item(word: string): boolean {
    return this.isWord(word) && [t.Num, t.Word, t.LParen].includes(this.LA(2).tokenType);
  }

  private readonly mapping = this.RULE('mapping', (): Mapping => {
    const start = this.here();
    const from = this.subrule(0, this.rangeOf, { ARGS: ['a mapping, as `0x40_0000 +2M -> 0x20_0000 rw user`', true] });
    this.need(0, t.Arrow);
    const to = this.subrule(1, this.expression, { ARGS: ['the address that it maps to'] });
    const flags = this.subrule(2, this.flags, { ARGS: ['mapping'] });
    return { kind: 'mapping', from, to, flags, range: this.since(start) };
  });

  private readonly level: ParserMethod<[], Expression | null> = this.RULE('level', () => {
    if (!this.needWord(0, 'level')) return null;
    return this.subrule(0, this.expression, { ARGS: ['a level, 1 to 5'] });
  });

  private readonly rawEntry = this.RULE('rawEntry', (): RawEntry => {
    const start = this.here();
    this.consume(0, t.Word);
    const address = this.subrule(0, this.expression, { ARGS: ['an address'] });
    const level = this.subrule(1, this.level);
    this.need(1, t.Assign);
    const value = this.subrule(2, this.expression, { ARGS: ['the value of the entry'] });
    return { kind: 'raw-entry', address, level, value, range: this.since(start) };
  });

  private readonly upper = this.RULE('upper', (): Upper => {
    const start = this.here();
    this.consume(0, t.Word);
    const address = this.subrule(0, this.rangeOf);
    const level = this.subrule(1, this.level);
    const flags = this.subrule(2, this.flags, { ARGS: ['mapping'] });
    if (flags.length === 0) this.expected('rights, as ro or user');
    return { kind: 'upper', address, level, flags, range: this.since(start) };
  });

  private readonly placement = this.RULE('placement', (): Placement => {
    const start = this.here();
    this.consume(0, t.Word);
    const address = this.subrule(0, this.expression, { ARGS: ['an address'] });
    const level = this.subrule(1, this.level);
    this.needWord(1, 'at');
    const at = this.subrule(2, this.expression, { ARGS: ['the address of the table'] });
    return { kind: 'placement', address, level, at, range: this.since(start) };
  });

  private readonly share = this.RULE('share', (): Share => {
    const start = this.here();
    this.consume(0, t.Word);
    const tables = this.reference(1, 'table', 'the name of tables');
    const address: RangeExpression = this.subrule(0, this.rangeOf);
    const level = this.option(0, { GATE: () => this.clause('level'), DEF: () => this.subrule(1, this.level) });
    return { kind: 'share', tables, address, level: level ?? null, range: this.since(start) };
  });

  /* ------------------------------------------------------------ loops */

  protected readonly loop: ParserMethod<[where?: ForIn], For> = this.RULE('loop', (where: ForIn = 'script'): For => {
    const start = this.here();
    this.consume(0, FOR);
    const name = this.definition(1, 'loop', 'a name');
    this.needWord(2, 'in');
    const over = this.subrule(0, this.rangeOf, { ARGS: ['a range, as `0 .. 15`', true] });
    const step = this.gotWord(3, 'step') ? this.subrule(1, this.expression, { ARGS: ['a step'] }) : null;
    let body: For['body'] = null;
    if (where === 'script' || this.RECORDING_PHASE) body = this.subrule(2, this.scriptBody, { ARGS: ['for'] });
    if (where === 'vm' || this.RECORDING_PHASE) body = this.subrule(3, this.vmBody, { ARGS: ['for'] });
    if (where === 'tables' || this.RECORDING_PHASE) body = this.subrule(4, this.tablesBody, { ARGS: ['for'] });
    return { kind: 'for', name, over, step, body, range: this.since(start) };
  });

  /** Tokens that begin an item of a VM only; a script that meets one says so. */
  protected static readonly machineOnly: readonly TokenType[] = [VM, VCPU, TABLES, CONST];
}
