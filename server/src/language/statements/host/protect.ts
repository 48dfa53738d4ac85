/** `host protect hva 0x7f00_0000_0000 +2M ro` */
import { bindParts, noAddress, noMemory } from '../../kind';
import type { HostActKind } from '../../kind';
import type { HostActLowering } from '../../lower/host-acts';
import type { Rule } from '../../syntax/grammar/rule';
import type { Flag, HostArea } from '../../syntax/tree';
import type { HostActBase, Only } from './act';

export interface Protect extends HostActBase {
  readonly act: 'protect';
  readonly area: HostArea;
  readonly flags: readonly Flag[];
}

const PROTECTION: { ARGS: [string] } = { ARGS: ['ro or rw'] };

/** `protect hva 0x7f00_0000_0000 +2M ro` */
const rule: Rule<[], Only<Protect>> = ($) => () => {
  $.CONSUME($.t.word('protect'));
  const area = $.SUBRULE($.area);
  return { act: 'protect', area, flags: $.someFlags('protect', PROTECTION) };
};

export const protect: HostActKind<Protect> = {
  rule,
  words: {
    'host-act': {
      protect: "mprotect on the VMM's mapping: `protect gpa 0x5000 ro`.",
    },
  },
  bind: bindParts,
  address: noAddress,
  memory: noMemory,
  lower,
};

function lower(host: HostActLowering, node: Protect): void {
  const writable = isWritable(host, node);
  if (writable !== null) host.areas(node.area, (hva, size) => host.emit({ do: 'protect', hva, size, writable }));
}

function isWritable({ script, frame }: HostActLowering, node: Protect): boolean | null {
  const rights = node.flags.map((flag) => (flag.name.text === 'rw') !== flag.not);
  if (rights.length === 1) return rights[0];
  script.context.report(frame.env, node.flags[1] ?? node, 'flags-clash', 'protect takes ro or rw');
  return null;
}
