/** `gpa 0x5000`, `hpa 0x5000`, and `hpa of gpa 0x5000` */
import type { Expectation as Judged } from '../../engine/program';
import { bindParts } from '../kind';
import type { ExpectationKind } from '../kind';
import { HIGHEST_PHYSICAL } from '../lower/context';
import type { Frame, ScriptLowering } from '../lower/script';
import { value } from '../syntax/grammar/rule';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Expression } from '../syntax/tree';

export interface ExpectAddress extends Base {
  readonly kind: 'expect-address';
  readonly space: 'gpa' | 'hva' | 'hpa';
  /** `hpa of gpa a` */
  readonly ofGpa: boolean;
  readonly address: Expression;
}

const REACHED = { gpa: value('an address', 'gpa'), hva: value('an address', 'hva'), hpa: value('an address', 'address') };

const NO_SPACE = REACHED.hpa;

/** `gpa 0x5000`, `hpa of gpa 0x5000` */
const rule: Rule<[], ExpectAddress> = ($) => {
  const ofGpa = (): boolean => {
    $.CONSUME($.t.word('of'));
    $.CONSUME($.t.word('gpa'));
    return true;
  };
  return () => {
    const start = $.here();
    const space = $.CONSUME($.t.Space).image as ExpectAddress['space'];
    const of = $.OPTION(ofGpa) ?? false;
    const address = $.SUBRULE($.expression, of && !$.RECORDING_PHASE ? REACHED.gpa : (REACHED[space] ?? NO_SPACE));
    return { kind: 'expect-address', space, ofGpa: of, address, range: $.since(start) };
  };
};

export const address: ExpectationKind<ExpectAddress> = {
  rule,
  words: {
    expectation: {
      gpa: 'The guest-physical address reached. In a slot: where it begins.',
      hva: "The address in the VMM that was reached. In a slot: where its memory lies in the VMM's address space.",
      hpa: 'The host-physical address reached; `hpa of gpa a` is where the host backs that address.',
    },
  },
  bind: bindParts,
  address: ({ ofGpa, space }) => (ofGpa ? 'gpa' : space),
  outcome: () => 'address',
  ofLastAct: false,
  lower,
};

function lower({ context }: ScriptLowering, node: ExpectAddress, { env }: Frame): readonly Judged[] {
  const what = node.ofGpa ? 'a guest-physical address' : `a ${node.space}`;
  const address = context.between(node.address, env, what, 0n, HIGHEST_PHYSICAL);
  if (address === null) return [];
  return [node.ofGpa ? { kind: 'hpa-of-gpa', gpa: Number(address) } : { kind: 'address', space: node.space, address: Number(address) }];
}
