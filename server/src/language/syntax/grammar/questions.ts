/** What kinds of statements and items ask of the grammar: their files know no tokens. */
import * as t from '../tokens';
import type { Expect, Flag } from '../tree';
import type { FlagPlace } from '../words/paging';
import { Lists } from './lists';
import { expects, isEntry, someFlags } from './parts';
import type { Grammar } from './rule';
import { underOpensBody } from './under';

export class Questions extends Lists {
  /** The kinds of token. */
  readonly t = { ...t };

  protected grammar(): Grammar {
    return this as unknown as Grammar;
  }

  /** An entry begins here: `name[`, `vm.name[`. */
  isEntry(): boolean {
    return isEntry(this.grammar());
  }

  /** The word that is next is a name here, with what is done to it behind. */
  isName(): boolean {
    return this.is(t.Assign, 2) || this.is(t.Dot, 2);
  }

  /** The word that is next begins an item of tables, and is not a constant of that name that begins a mapping. */
  beginsTablesItem(): boolean {
    return this.may(t.Num, 2) || this.may(t.Word, 2) || this.may(t.LParen, 2) || this.onNewLine(2);
  }

  /** The `expect`s that follow an act: a part of its rule. */
  expects(): Expect[] {
    return expects(this.grammar());
  }

  underOpensBody(): boolean {
    return underOpensBody(this.grammar());
  }

  /** At least one flag; `what` is missing if there is none. */
  someFlags(place: FlagPlace, what: { ARGS: [string] }): Flag[] {
    return someFlags(this.grammar(), place, what);
  }
}
