/** Scripts: statements, each by its kind. */
import { edit } from '../../statements/edit';
import { STATEMENT_KINDS } from '../../statements/kinds';
import { registerLoad } from '../../statements/register-load';
import { nearest } from '../problem';
import * as t from '../tokens';
import type { Body, Statement } from '../tree';
import { ACTS } from '../words/structure';
import { alternatives } from './alternatives';
import type { Grammar, Rule } from './rule';

const AFTER_SCRIPT = t.kindsOf(['import', 'budget', 'block', 'run', 'vm']);

const MACHINE_ONLY = t.kindsOf(['vm', 'slot', 'tables', 'vcpu']);

const STATEMENT_WORDS = [...Object.keys(ACTS), 'host', 'under', 'with', 'word', 'const'];

export const scriptBody: Rule<[string], Body<Statement> | null> = ($) => (what) => $.BRACES('script', what, $.statement, AFTER_SCRIPT);

export const statement: Rule<[], Statement | null> = ($) => {
  const choice = { DEF: alternatives<Statement>($, STATEMENT_KINDS), ELSE: (): Statement | null => strange($) };
  return () => $.OR(choice);
};

/** What is no statement, but may be one that is not whole, or misspelt. */
function strange($: Grammar): Statement | null {
  const { image, kind } = $.next();
  if ($.is(t.Word)) {
    if ($.is(t.Assign, 2) || ($.is(t.Dot, 2) && $.is(t.Assign, 4))) return $.SUBRULE($.readerOf(registerLoad.rule));
    if ($.is(t.Dot, 2)) return $.SUBRULE($.readerOf(edit.rule));
    const range = t.rangeOf($.next());
    const near = $.isFull() ? null : nearest(image, STATEMENT_WORDS);
    const hint = near ? `did you mean ${near}?` : 'a name is followed by (…), […], : or =';
    const fix = near ? { title: `Change to ${near}`, range, text: near } : undefined;
    $.fail('unknown-word', `'${image.slice(0, 40)}' is not a statement: ${hint}`, range, fix);
  } else if (MACHINE_ONLY.has(kind)) {
    const where = image === 'vm' ? 'in the file or in a vm' : 'in a vm';
    $.fail('unexpected', `${image} is declared ${where}, not in a script`, t.rangeOf($.next()));
  } else $.expected('a statement, as read, write or expect');
  return null;
}
