/** `run vm "title" under soft, ept { … }`: a script; lower/programs.ts makes its programs. */
import { declaresNothing, noAddress } from '../kind';
import type { FileItemKind } from '../kind';
import type { Binder } from '../semantics/binder';
import type { Reporter } from '../semantics/reporter';
import type { Named, Scope } from '../semantics/scopes';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, Range, Reference, Statement, Text, Under, Vm } from '../syntax/tree';

export interface Run extends Base {
  readonly kind: 'run';
  readonly vm: Reference | null;
  readonly title: Text | null;
  readonly under: Under | null;
  readonly body: Body<Statement> | null;
}

const RUN_VM = { ERR_MSG: 'the name of a vm', REFERS: 'vm', LABEL: 'vm' } as const;

const TITLE = { ERR_MSG: 'a title', LABEL: '"title"' };

/** `run vm "title" under soft, ept { … }` */
const rule: Rule<[], Run> = ($) => {
  const named = { GATE: () => !$.broken(), DEF: (): Reference => $.referenceOf($.CONSUME($.t.Word, RUN_VM), 'vm') };
  const titled = (): Text | null => $.textOrNull($.CONSUME($.t.Str, TITLE));
  const kinds = (): Under => $.SUBRULE($.under);
  return () => {
    const start = $.CONSUME($.t.word('run')).startOffset;
    const vm = $.OPTION1(named) ?? null;
    const title = $.OPTION2(titled) ?? null;
    const under = $.OPTION3(kinds) ?? null;
    const body = $.SUBRULE($.scriptBody, { ARGS: [vm ? `run ${vm.text}` : 'run'] });
    return { kind: 'run', vm, title, under, body, range: $.since(start) };
  };
};

export const run: FileItemKind<Run> = {
  rule,
  words: {
    declaration: {
      run: 'A script and the VM that it runs: the machine starts afresh for each kind after `under`, and with each kernel after `with`.',
    },
  },
  numbered: 'never',
  line: 'plain',
  bind,
  address: noAddress,
  outline: (node, { text }) => ({ name: text({ range: runHead(node) }), symbol: 'run', inner: node.body?.items }),
  declare: declaresNothing,
};

/** `run guest "title" under soft, ept`: the head of a run, without its body. */
export function runHead({ range, body }: Run): Range {
  return { start: range.start, end: body ? body.range.start : range.end };
}

/** Names in it are those of its VM, then those of the file. */
function bind(node: Run, scope: Scope, binder: Binder): void {
  const { definitions } = binder;
  if (node.vm) binder.resolve(node.vm, scope);
  const vm = node.vm ? binder.meaning(node.vm) : onlyVm(node, scope, binder.reporter);
  if (vm) binder.runs(node, vm);
  if (!node.body) return;
  const parents = vm ? [definitions.ofVm(vm.node as Vm), scope] : [scope];
  binder.bind(node.body, definitions.scope(scope.file, node.body, parents, vm, true));
}

function onlyVm(node: Run, scope: Scope, reporter: Reporter): Named | null {
  const vms = scope.visible().filter((named) => named.of === 'vm');
  const outer = vms.filter((named) => !isNested(named));
  if (outer.length === 1) return outer[0];
  const head = { range: { start: node.range.start, end: node.range.start + 'run'.length } };
  if (outer.length === 0) reporter.report(scope.file, head, 'no-vm', 'there is no VM to run: declare one as `vm guest { … }`');
  else {
    const fixes = outer.map(({ name }) => ({ file: scope.file, node: head, title: `Run ${name}`, text: `run ${name}` }));
    reporter.report(
      scope.file,
      head,
      'which-vm',
      `there are several VMs; name the one to run: ${outer.map((each) => each.name).join(', ')}`,
      { fixes },
    );
  }
  return null;
}

/** A VM inside another is no item of its file. */
function isNested(vm: Named): boolean {
  return vm.file.parsed.tree.items.every((item) => item !== vm.node);
}
