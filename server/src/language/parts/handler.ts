/** `on fault { … }`: the guest's #PF handler, of one access or of a vCPU. */
import { noAddress } from '../kind';
import type { Kind, Worded } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Body, Statement } from '../syntax/tree';

export interface Handler extends Base {
  readonly kind: 'handler';
  readonly body: Body<Statement> | null;
}

/** `on fault { … }` */
export const handlerRule: Rule<[], Handler> = ($) => () => {
  const start = $.CONSUME($.t.word('on')).startOffset;
  $.CONSUME($.t.word('fault'));
  const body = $.SUBRULE($.scriptBody, { ARGS: ['on fault'] });
  return { kind: 'handler', body, range: $.since(start) };
};

export const handler: Kind<Handler> & Worded = {
  words: {
    clause: {
      on: '`on fault { … }`: what the guest does at a #PF before it retries. Between kinds of MMU: `ept on ept`. As a value: 1.',
      fault: '`on fault { … }`: what the guest does at a #PF before it retries.',
    },
  },
  bind: (node, scope, binder) => binder.inHandler(() => binder.bind(node.body, scope)),
  address: noAddress,
};
