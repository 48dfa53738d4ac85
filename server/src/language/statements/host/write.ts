/** `host write gpa 0x5000 = 7` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostActLowering } from '../../lower/host-acts';
import { show } from '../../semantics/values';
import { VALUE } from '../../syntax/grammar/rule';
import type { Rule } from '../../syntax/grammar/rule';
import type { Expression, HostArea } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface HostWrite extends HostActBase {
  readonly act: 'write';
  readonly area: HostArea;
  readonly value: Expression;
}

/** `write gpa 0x5000 = 7` */
const rule: Rule<[], Only<HostWrite>> = ($) => () => {
  $.CONSUME($.t.word('write'));
  const area = $.SUBRULE($.area);
  $.CONSUME($.t.Assign);
  return { act: 'write', area, value: $.SUBRULE($.expression, VALUE) };
};

export const hostWrite: HostActKind<HostWrite> = {
  rule,
  words: {
    'host-act': {
      write: 'The VMM stores 8 bytes into guest memory: `write gpa 0x5000 = 7`.',
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower,
};

function lower(host: HostActLowering, { area, value: written }: HostWrite): void {
  const { context } = host.script;
  const { env } = host.frame;
  const address = context.evaluator.number(area.area.from, env);
  const value = context.evaluator.bits(written, env);
  if (area.area.to || area.area.size)
    context.report(env, area.area, 'no-range', 'the VMM writes one word of 8 bytes: give its address alone');
  if (address === null || value === null) return;
  const gpa = area.space === 'gpa' ? Number(address) : host.gpaOf(area, Number(address));
  if (gpa === null) return;
  if (!host.vm.slots.at(gpa)) return host.noSlot(area, gpa);
  if (gpa % 8 !== 0) {
    context.report(env, area.area, 'not-aligned', `a word lies at a multiple of 8, not at ${show(address)}`);
    return;
  }
  host.emit({ do: 'host-write', gpa, value });
}
