/** `l2: …`, `vcpu 1: …`, `l2 vcpu 1: { … }`: who performs. */
import type { Act } from '../../engine/program';
import { noAddress, NO_WORDS } from '../kind';
import type { Outliner, OutlineEntry, StatementKind } from '../kind';
import type { RunVm } from '../lower/run-state';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Binder } from '../semantics/binder';
import type { Scope } from '../semantics/scopes';
import type { Grammar, Rule } from '../syntax/grammar/rule';
import type { Base, Body, Reference, Statement, Vm } from '../syntax/tree';

export interface Performed extends Base {
  readonly kind: 'performed';
  readonly vm: Reference | null;
  readonly vcpu: Reference | null;
  /** Exactly one of `statement` and `body` is there, or neither. */
  readonly statement: Statement | null;
  readonly body: Body<Statement> | null;
}

function isPerformer($: Grammar): boolean {
  if ($.is($.t.word('vcpu'))) return !$.is($.t.LCurly, 2) && !$.is($.t.LCurly, 3);
  return $.may($.t.Word, 1) && ($.may($.t.Colon, 2) || ($.may($.t.word('vcpu'), 2) && !$.onNewLine(2)));
}

type Who = Pick<Performed, 'vm' | 'vcpu'>;

const PERFORMING_VM = { ERR_MSG: 'the name of a vm', REFERS: 'vm', LABEL: 'vm' } as const;

const PERFORMING_VCPU = { ERR_MSG: 'the name or number of a vCPU', REFERS: 'vcpu', LABEL: 'vcpu' } as const;

/** `l2`, `vcpu 1`, `l2 vcpu 1`, and a colon */
export const performer: Rule<[], Who> = ($) => {
  const either = [
    {
      ALT: (): Who => ({ vm: $.referenceOf($.CONSUME($.t.Word, PERFORMING_VM), 'vm'), vcpu: $.OPTION(ofVcpu) ?? null }), //
    },
    { ALT: (): Who => ({ vm: null, vcpu: $.SUBRULE($.performingVcpu) }) },
  ];
  const ofVcpu = (): Reference | null => $.SUBRULE2($.performingVcpu);
  return () => {
    const who = $.OR(either);
    $.CONSUME($.t.Colon);
    return who;
  };
};

export const performingVcpu: Rule<[], Reference | null> = ($) => () => {
  $.CONSUME($.t.word('vcpu'));
  return $.referenceOrNull($.CONSUME($.t.VcpuName, PERFORMING_VCPU), 'vcpu');
};

/** `l2: …`, `vcpu 1: …`, `l2 vcpu 1: { … }` */
const rule: Rule<[], Performed> = ($) => {
  type What = Pick<Performed, 'statement' | 'body'>;
  let by = '';
  const either = {
    DEF: [
      { ALT: (): What => ({ statement: null, body: $.SUBRULE($.scriptBody, { ARGS: [by] }) }) },
      {
        GATE: () => !$.panic && !$.onNewLine(),
        ALT: (): What => ({ statement: $.SUBRULE($.statement), body: null }),
      },
    ],
    ELSE: (): What => {
      if (!$.panic && !$.atEnd() && !$.onNewLine()) return { statement: $.SUBRULE($.statement), body: null };
      if (!$.panic) $.expected("a statement or '{'");
      return { statement: null, body: null };
    },
  };
  return () => {
    const start = $.here();
    const { vm, vcpu } = $.SUBRULE($.performer);
    // Who performs is said once; more of it is read, with a report.
    while (!$.RECORDING_PHASE && !$.panic && !$.onNewLine() && isPerformer($) && !$.atEnd()) {
      const second = $.here();
      $.SUBRULE2($.performer);
      $.report('unexpected', 'one VM and vCPU perform a statement, as `l2 vcpu 1:`', $.since(second));
    }
    by = vm ? `${vm.text}:` : `vcpu ${vcpu?.text ?? ''}:`;
    return { kind: 'performed', vm, vcpu, ...$.OR(either), range: $.since(start) };
  };
};

export const performed: StatementKind<Performed> = {
  rule,
  begins: isPerformer,
  words: NO_WORDS,
  numbered: 'never',
  line: 'statement',
  ends: null,
  does: ({ statement, body }, activity) => (statement ? activity.does(statement) : activity.anyOf(body?.items)),
  bind,
  address: noAddress,
  outline,
  lower,
};

/** Names in it are those of the VM that performs, before all others. */
function bind(node: Performed, scope: Scope, binder: Binder): void {
  const { definitions } = binder;
  let inner = scope;
  if (node.vm) {
    binder.resolve(node.vm, scope);
    const vm = binder.meaning(node.vm);
    if (vm) inner = definitions.scope(scope.file, node, [definitions.ofVm(vm.node as Vm), scope], vm, true);
  }
  if (node.vcpu) binder.resolve(node.vcpu, inner);
  binder.bind(node.statement, inner);
  binder.bind(node.body, inner);
}

function outline({ range, statement, body }: Performed, { text, entry }: Outliner): OutlineEntry | null {
  if (!body) return statement && entry(statement);
  return { name: text({ range: { start: range.start, end: body.range.start } }), symbol: 'group', inner: body.items };
}

function lower(script: ScriptLowering, node: Performed, frame: Frame, out: Act[]): void {
  const vm = node.vm ? vmNamed(script, node.vm, frame) : frame.vm;
  if (!vm) return;
  const vcpu = node.vcpu ? vcpuNamed(script, node.vcpu, vm, frame) : vm === frame.vm ? frame.vcpu : 0;
  if (vcpu === null) return;
  const inner: Frame = { ...frame, vm, vcpu, named: frame.named || node.vm !== null, env: { ...frame.env, vm: vm.plan.named } };
  script.all(node.statement ? [node.statement] : (node.body?.items ?? []), inner, out);
}

function vmNamed({ context, run }: ScriptLowering, reference: Reference, { env }: Frame): RunVm | null {
  const target = context.links.byReference.get(reference);
  const found = target ? run.vmNamed(target) : null;
  if (target && !found) {
    const related = [{ file: target.file, node: target.definition, message: `${target.name} is declared here` }];
    const message = `${target.name} is not part of this run: it is neither inside nor around the VM that runs`;
    context.report(env, reference, 'not-in-run', message, { related });
  }
  return found;
}

function vcpuNamed({ context }: ScriptLowering, reference: Reference, { plan }: RunVm, { env }: Frame): number | null {
  const names = plan.vcpus.map(({ config }) => config.name);
  const index = names.indexOf(reference.text);
  if (index >= 0) return index;
  context.report(env, reference, 'unknown-name', `${plan.named.name} has no vCPU ${reference.text}; it has ${names.join(', ')}`);
  return null;
}
