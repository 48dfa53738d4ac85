/** Scripts: accesses, edits, register loads, invalidations, loops, and who performs them. */
import type { TokenType } from 'chevrotain';
import { HostActParser } from './host-act-parser';
import { nearest } from './problem';
import * as t from './tokens';
import type {
  Access, Body, Call, CheckInvariants, Edit, Enter, Expression, Invalidate, MemoryWord, Performed, Range, Reference, RegisterLoad,
  Replay, Same, Statement, UnderStatement, Word,
} from './tree'; // prettier-ignore
import { SCOPES } from './words/observed';
import { ACTS } from './words/structure';

const UNDER = t.reserved('under');
const HOST = t.reserved('host');
const CONST = t.reserved('const');
const EXPECT = t.reserved('expect');
const FOR = t.reserved('for');
const ON = t.reserved('on');
const VCPU = t.reserved('vcpu');
const PRIVILEGES = ['user', 'supervisor', 'implicit'].map(t.reserved);
const ACCESSES = ['read', 'write', 'fetch', 'rmw'].map(t.reserved);
const ACCESS_WORDS: ReadonlySet<TokenType> = new Set([...PRIVILEGES, ...ACCESSES]);
const INVALIDATIONS: ReadonlySet<TokenType> = new Set(['invlpg', 'invpcid', 'invept', 'invvpid'].map(t.reserved));
const ENTRIES: ReadonlySet<TokenType> = new Set(['vmlaunch', 'vmresume', 'vmrun'].map(t.reserved));
const AFTER_SCRIPT: ReadonlySet<TokenType> = new Set(['import', 'budget', 'block', 'run', 'vm'].map(t.reserved));
const MACHINE_ONLY: ReadonlySet<TokenType> = new Set(['vm', 'slot', 'tables', 'vcpu'].map(t.reserved));
const STATEMENT_WORDS = [...Object.keys(ACTS), 'host', 'under', 'word', 'const'];

/** After the name of each instruction: what stands before a PCID or VPID, and what is expected. */
const OPERANDS: { readonly [instruction in Invalidate['instruction']]: { readonly tag: 'pcid' | 'vpid' | null; readonly what: string } } = {
  invlpg: { tag: null, what: 'a linear address' },
  invpcid: { tag: 'pcid', what: 'an address, pcid, all or non_global' },
  invept: { tag: null, what: 'an EPTP, or all' },
  invvpid: { tag: 'vpid', what: 'an address, vpid, all or non_global' },
};

export abstract class ScriptParser extends HostActParser {
  protected scriptBody(what: string): Body<Statement> | null {
    return this.braces<Statement>(what, () => this.statement(), AFTER_SCRIPT);
  }

  private statement(): Statement | null {
    if (this.isPerformer()) return this.performed();
    const { tokenType } = this.next();
    if (tokenType === t.Word) return this.worded();
    if (ACCESS_WORDS.has(tokenType)) return this.access();
    if (INVALIDATIONS.has(tokenType)) return this.invalidate();
    if (ENTRIES.has(tokenType)) return this.enter();
    switch (tokenType) {
      case EXPECT:
        return this.expect();
      case FOR:
        return this.loop('script');
      case UNDER:
        return this.underStatement();
      case CONST:
        return this.constant();
      case HOST:
        return this.hostActs();
    }
    if (MACHINE_ONLY.has(tokenType)) {
      const { image } = this.next();
      const where = image === 'vm' ? 'in the file or in a vm' : 'in a vm';
      this.fail('unexpected', `${image} is declared ${where}, not in a script`, t.rangeOf(this.next()));
    } else this.expected('a statement, as read, write or expect');
    return null;
  }

  /** Statements that begin with a name, or with a word that has its meaning only here. */
  private worded(): Statement | null {
    if (this.isEntry()) return this.edit();
    if (this.is(t.LParen, 2) && !this.onNewLine(2) && !this.isWord('word')) return this.call();
    if (this.isLoad()) return this.registerLoad();
    if (this.is(t.Dot, 2)) return this.edit();
    switch (this.next().image) {
      case 'word':
        return this.store();
      case 'same':
        return this.same();
      case 'check':
        return this.check();
      case 'replay':
        return this.replay();
    }
    this.unknownStatement();
    return null;
  }

  private unknownStatement(): void {
    const { image } = this.next();
    const range = t.rangeOf(this.next());
    const near = this.isFull() ? null : nearest(image, STATEMENT_WORDS);
    const hint = near ? `did you mean ${near}?` : 'a name is followed by (…), […], : or =';
    const fix = near ? { title: `Change to ${near}`, range, text: near } : undefined;
    this.fail('unknown-word', `'${image.slice(0, 40)}' is not a statement: ${hint}`, range, fix);
  }

  /* ------------------------------------------------------------ who */

  private isPerformer(): boolean {
    if (this.is(VCPU)) return !this.is(t.LCurly, 2) && !this.is(t.LCurly, 3);
    return this.is(t.Word) && (this.is(t.Colon, 2) || (this.is(VCPU, 2) && !this.onNewLine(2)));
  }

  private performed(): Performed {
    const start = this.here();
    const { vm, vcpu } = this.performer();
    while (!this.panic && !this.onNewLine() && this.isPerformer()) {
      const second = this.here();
      this.performer();
      this.report('unexpected', 'one VM and vCPU perform a statement, as `l2 vcpu 1:`', this.since(second));
    }
    let statement: Statement | null = null;
    const body = this.is(t.LCurly) ? this.scriptBody(vm ? `${vm.text}:` : `vcpu ${vcpu?.text ?? ''}:`) : null;
    if (!body && !this.panic) {
      if (this.atEnd() || this.onNewLine()) this.expected("a statement or '{'");
      else statement = this.statement();
    }
    return { kind: 'performed', vm, vcpu, statement, body, range: this.since(start) };
  }

  private performer(): { vm: Reference | null; vcpu: Reference | null } {
    const name = this.maybe(t.Word);
    const number = this.got(VCPU) ? this.need('the name or number of a vCPU', t.Num, t.Word) : null;
    this.needSign(t.Colon);
    return { vm: name && this.referenceOf(name, 'vm'), vcpu: number && this.referenceOf(number, 'vcpu') };
  }

  /* ------------------------------------------------------------ accesses */

  private access(): Access | null {
    const start = this.here();
    const privilege = (this.maybe(...PRIVILEGES)?.image as Access['privilege'] | undefined) ?? null;
    const access = this.need('read, write, fetch or rmw', ...ACCESSES)?.image as Access['access'] | undefined;
    if (!access) return null;
    const head = this.since(start);
    const address = this.expression('a linear address');
    const value = this.stored(access);
    const clauses = this.clauses();
    const handler = this.is(ON) ? this.handler() : null;
    return {
      kind: 'access', privilege, access, head, address, value, ...clauses, handler, expects: this.expects(), range: this.since(start),
    }; // prettier-ignore
  }

  /** `= value` of a write, `+= value` of an rmw. */
  private stored(access: Access['access']): Expression | null {
    const sign = this.maybe(t.Assign, t.PlusAssign);
    if (!sign) return null;
    this.checkSign(access, sign.image, t.rangeOf(sign));
    return this.expression();
  }

  private checkSign(access: Access['access'], sign: string, range: Range): void {
    const right = access === 'write' ? '=' : access === 'rmw' ? '+=' : null;
    if (sign === right || this.panic) return;
    if (right === null) this.report('unexpected', `a ${access} stores nothing; what it must find is \`expect value …\``, range);
    else
      this.report('unexpected', `write stores with =, rmw adds with +=`, range, {
        fix: { title: `Change to ${right}`, range, text: right },
      });
  }

  /** Clauses in any order, each once. */
  private clauses(): Pick<Access, 'size' | 'ac' | 'count' | 'step'> {
    const found = new Map<string, Expression>();
    while (this.clause('size') || this.clause('ac') || this.clause('x') || this.clause('step')) {
      const token = this.take();
      if (found.has(token.image) && !this.panic) this.report('unexpected', `${token.image} stands here twice`, t.rangeOf(token));
      found.set(token.image, this.expression(`a value after ${token.image}`));
    }
    const clause = (word: string): Expression | null => found.get(word) ?? null;
    return { size: clause('size'), ac: clause('ac'), count: clause('x'), step: clause('step') };
  }

  /* ------------------------------------------------------------ memory and registers */

  private edit(): Edit {
    const start = this.here();
    const entry = this.entry();
    const bit = this.bitOrNull();
    this.needSign(t.Assign);
    const value = this.expression();
    return { kind: 'edit', entry, bit, value, expects: this.expects(), range: this.since(start) };
  }

  private store(): MemoryWord {
    const word = this.memoryWord();
    return { ...word, expects: this.expects(), range: this.since(word.range.start) };
  }

  private isLoad(): boolean {
    if (this.is(t.Assign, 2)) return true;
    return this.is(t.Dot, 2) ? this.isRegister() || this.is(t.Assign, 4) : this.isRegister();
  }

  private registerLoad(): RegisterLoad {
    const start = this.here();
    const { register, bit } = this.register();
    this.needSign(t.Assign);
    const value = this.expression();
    return { kind: 'register-load', register, bit, value, expects: this.expects(), range: this.since(start) };
  }

  private invalidate(): Invalidate {
    const start = this.here();
    const instruction = this.take().image as Invalidate['instruction'];
    const { tag: word, what } = OPERANDS[instruction];
    const scope = this.scope(instruction);
    const tagged = word !== null && this.clause(word);
    const address = scope || tagged ? null : this.expression(what);
    const tag =
      word && (!scope || (scope.text === 'non_global' && instruction === 'invvpid')) && this.needWord(word)
        ? this.expression(`a ${word.toUpperCase()}`)
        : null;
    return { kind: 'invalidate', instruction, scope, address, tag, expects: this.expects(), range: this.since(start) };
  }

  private scope(instruction: Invalidate['instruction']): Word | null {
    const { image } = this.next();
    const fits = instruction !== 'invlpg' && (image === 'all' || instruction !== 'invept');
    return fits && Object.hasOwn(SCOPES, image) && !this.onNewLine() ? this.wordOf(this.take(), 'scope') : null;
  }

  private enter(): Enter {
    const start = this.here();
    const instruction = this.take().image as Enter['instruction'];
    const token = this.onNewLine() ? null : this.maybe(t.Word);
    return { kind: 'enter', instruction, vm: token && this.referenceOf(token, 'vm'), expects: this.expects(), range: this.since(start) };
  }

  private call(): Call {
    const start = this.here();
    const block = this.referenceOf(this.take(), 'block');
    this.take();
    const values = this.is(t.RParen) ? [] : this.commas(() => this.expression());
    this.needSign(t.RParen);
    return { kind: 'call', block, arguments: values, expects: this.expects(), range: this.since(start) };
  }

  /* ------------------------------------------------------------ the rest */

  private underStatement(): UnderStatement {
    const start = this.here();
    const under = this.under();
    const body = this.scriptBody('under');
    return { kind: 'under-statement', under, body, range: this.since(start) };
  }

  private same(): Same {
    const start = this.take().startOffset;
    const under = this.is(UNDER) && !this.underOpensBody() ? this.under() : null;
    return { kind: 'same', under, range: this.since(start) };
  }

  private check(): CheckInvariants {
    const start = this.take().startOffset;
    this.needWord('invariants');
    return { kind: 'check-invariants', range: this.since(start) };
  }

  private replay(): Replay {
    const start = this.take().startOffset;
    const path = this.string('the path of a trace in quotes');
    return { kind: 'replay', path, range: this.since(start) };
  }
}
