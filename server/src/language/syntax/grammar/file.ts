/** A file: its declarations, each by its kind. */
import { FILE_ITEM_KINDS } from '../../machine/kinds';
import * as t from '../tokens';
import type { Item } from '../tree';
import { alternatives } from './alternatives';
import type { Grammar, Rule } from './rule';

const DECLARATIONS = ['import', 'const', 'host', 'budget', 'vm', 'block', 'run'];

const BEGINNINGS = t.kindsOf(DECLARATIONS);

const IN_VM = t.kindsOf(['slot', 'vcpu', 'tables']);

export const file: Rule<[], Item[]> = ($) => () => $.FILE($.declaration);

export const declaration: Rule<[], Item | null> = ($) => {
  const choice = { DEF: alternatives<Item>($, FILE_ITEM_KINDS), ELSE: (): Item | null => strange($) };
  return () => $.OR(choice);
};

/** One report for all that stands where a declaration should. */
function strange($: Grammar): null {
  const token = $.next();
  const range = t.rangeOf(token);
  const isStatement = $.is(t.Colon, 2) || $.isEntry() || $.is(t.Register) || t.isReserved(token.tokenType);
  if (token.tokenType === t.RCurly) $.report('unexpected', "'}' closes nothing", range, { fix: { title: "Remove '}'", range, text: '' } });
  else if (IN_VM.has(token.kind)) $.report('unexpected', `${token.image} is declared in a vm`, range);
  else if (isStatement) $.report('unexpected', 'statements stand in a run or a block', range);
  else if ($.is(t.Word)) $.unknown('unknown-word', 'declaration', { text: token.image, range }, DECLARATIONS);
  else $.expected('a declaration, as vm or run');
  skipItem($);
  $.panic = false;
  return null;
}

/** Takes a token and what follows it, over whole bodies, up to a line that is not indented or begins a declaration. */
function skipItem($: Grammar): void {
  let depth = 0;
  do {
    const { tokenType } = $.take();
    if (tokenType === t.LCurly) depth++;
    else if (tokenType === t.RCurly && depth > 0) depth--;
  } while (!$.atEnd() && !($.onNewLine() && endsSkip($, depth)));
}

function endsSkip($: Grammar, depth: number): boolean {
  const atMargin = $.column() === 0;
  if (BEGINNINGS.has($.kind())) return depth === 0 || atMargin;
  return depth === 0 && (atMargin || $.is(t.RCurly));
}
