/** The kinds after `under` and the kernels after `with`. */
import type { TokenType } from 'chevrotain';
import * as t from '../tokens';
import type { Token } from '../tokens';
import type { MmuKinds, Under, Word } from '../tree';
import type { Grammar, Rule } from './rule';

const KIND = { ERR_MSG: 'soft, ept or npt', UNKNOWN: 'unknown-word' } as const;
const ON = t.word('on');
const WITH = t.word('with');
const UNDER = t.word('under');
const KERNEL_WORD = t.word('kernel');
const FAULT = t.word('fault');

/** `under soft, ept on ept`, `under ept with kernel 6.1, 6.12`, `with kernel 6.1`; `with` stands on the line of the kinds. */
export const under: Rule<[], Under> = ($) => {
  const kernels = { GATE: () => !$.onNewLine(), DEF: (): Word[] => $.SUBRULE1($.kernels) };
  const choice = {
    DEF: [
      {
        ALT: (): Pick<Under, 'kinds' | 'kernels'> => {
          $.CONSUME(UNDER);
          const kinds = $.LIST($.mmuKinds);
          return { kinds, kernels: $.OPTION(kernels) ?? [] };
        },
      },
      { ALT: (): Pick<Under, 'kinds' | 'kernels'> => ({ kinds: [], kernels: $.SUBRULE2($.kernels) }) },
    ],
    ELSE: (): Pick<Under, 'kinds' | 'kernels'> => ({ kinds: [], kernels: [] }),
  };
  return () => {
    const start = $.here();
    return { kind: 'under', ...$.OR(choice), range: $.since(start) };
  };
};

/** `with kernel 6.1, 6.12` */
export const kernels: Rule<[], Word[]> = ($) => () => {
  $.CONSUME(WITH);
  $.CONSUME(KERNEL_WORD);
  return $.LIST($.kernelName);
};

const KERNEL = { ERR_MSG: `a kernel, as ${t.explanationOf(t.Kernel)!.words.join(' or ')}` } as const;

/** A version, or what stands where one should. */
export const kernelName: Rule<[], Word | null> = ($) => () => {
  const isStrange = !$.is(t.Kernel) && !$.broken() && STRANGE_KERNELS.some((type) => $.is(type));
  return isStrange ? $.wordOf($.strange(t.Kernel, 'unknown-choice'), 'choice') : $.wordOrNull($.CONSUME(t.Kernel, KERNEL), 'choice');
};

const STRANGE_KERNELS: readonly TokenType[] = [t.Word, t.Version, t.Num];

/** `soft on ept` */
export const mmuKinds: Rule<[], MmuKinds | null> = ($) => {
  let levels: Word[] = [];
  const on = {
    // `on fault` is the handler of an access.
    GATE: () => !$.is(FAULT, 2),
    DEF: () => {
      $.CONSUME(ON);
      level($.CONSUME2(t.MmuKind, KIND));
    },
  };
  const level = (token: Token): void => {
    if ($.isThere(token)) levels.push($.wordOf(token, 'mmu'));
  };
  return () => {
    const start = $.here();
    levels = [];
    level($.CONSUME1(t.MmuKind, KIND));
    $.MANY(on);
    return levels.length > 0 ? { kind: 'mmu-kinds', levels, range: $.since(start) } : null;
  };
};

const PARTS_OF_UNDER: readonly TokenType[] = [t.Word, t.Version, t.Num, t.Comma, ON];

/** Whether the `under` or `with` that is next opens a body: then it is a statement, not a part of what stands before it. */
export function underOpensBody($: Grammar): boolean {
  let mayGoOn = !$.is(WITH);
  let ahead = 2;
  while (PARTS_OF_UNDER.some((type) => $.is(type, ahead)) || (mayGoOn && $.is(WITH, ahead) && !$.onNewLine(ahead))) {
    if ($.is(WITH, ahead)) mayGoOn = false;
    ahead++;
  }
  return $.may(t.LCurly, ahead);
}
