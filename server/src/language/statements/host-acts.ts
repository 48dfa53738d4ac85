/** `host delete slot 1`, or `host { … }`: acts of the VMM and the host's memory management. */
import type { Act } from '../../engine/program';
import { bindParts, noAddress, NO_WORDS } from '../kind';
import type { Outliner, OutlineEntry, StatementKind } from '../kind';
import type { Frame, ScriptLowering } from '../lower/script';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, ErrorNode } from '../syntax/tree';
import { lowerHostAct } from './host/kinds';
import type { HostAct } from './host/kinds';

export interface HostActs extends Base {
  readonly kind: 'host-acts';
  /** One of both is there. */
  readonly act: HostAct | null;
  readonly body: Body<HostAct | ErrorNode> | null;
}

/** `host delete slot 1`, or `host { … }` */
const rule: Rule<[], HostActs> = ($) => {
  type Acts = Pick<HostActs, 'act' | 'body'>;
  const choice = {
    DEF: [
      { ALT: (): Acts => ({ act: null, body: $.SUBRULE($.hostBody) }) }, //
      { ALT: (): Acts => ({ act: $.SUBRULE($.hostAct), body: null }) },
    ],
    ELSE: (): Acts => ({ act: $.SUBRULE($.hostAct), body: null }),
  };
  return () => {
    const start = $.CONSUME($.t.word('host')).startOffset;
    return { kind: 'host-acts', ...$.OR(choice), range: $.since(start) };
  };
};

export const hostActs: StatementKind<HostActs> = {
  rule,
  // Its word is the host's, which machine/host.ts explains.
  words: NO_WORDS,
  numbered: 'never',
  line: 'statement',
  ends: null,
  does: ({ act, body }) => act !== null || (body?.items ?? []).some(({ kind }) => kind === 'host-act'),
  bind: bindParts,
  address: noAddress,
  outline,
  lower,
};

function outline(node: HostActs, { text }: Outliner): OutlineEntry {
  return node.act ? { name: text(node), symbol: 'act' } : { name: 'host', symbol: 'group', inner: node.body?.items };
}

function lower(script: ScriptLowering, node: HostActs, frame: Frame, out: Act[]): void {
  if (frame.inHandler) {
    script.context.report(frame.env, node, 'host-in-handler', 'a handler is code of the guest: it cannot act for the host');
    return;
  }
  for (const act of node.act ? [node.act] : (node.body?.items ?? [])) {
    if (act.kind === 'error') continue;
    lowerHostAct(script, act, frame, out);
    script.expectAll(act.expects, act, frame, out);
  }
}
