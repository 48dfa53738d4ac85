/** What all programs of a file may cost together to be unrolled: one budget, and once it is used up nothing more is. */
import type { Node } from '../syntax/tree';
import type { Env } from '../semantics/values';

/** Acts of all programs of a file at most, those of handlers included. */
const MOST_ACTS_OF_FILE = 1_000_000;
/** Statements lowered and rounds made for all programs of a file at most. */
const MOST_STEPS_OF_FILE = 20_000_000;
/** Steps between two looks at the clock. */
const LOOK_EVERY = 256;

/** Where and why the budget ended. */
interface Overrun {
  readonly env: Env;
  readonly node: Node;
  readonly code: 'too-many-acts' | 'takes-too-long';
  readonly message: string;
}

export class Budget {
  /** Set once: nothing more is unrolled then. */
  overrun: Overrun | null = null;
  private steps = 0;
  private acts = 0;

  /** @param stop why there is no more time; null: there is */
  constructor(private readonly stop: () => string | null) {}

  /** A statement or a round; false when there may be none more. */
  step(env: Env, node: Node): boolean {
    if (this.overrun) return false;
    if (++this.steps > MOST_STEPS_OF_FILE) return this.end(env, node, 'too-many-acts', tooMany(MOST_STEPS_OF_FILE, 'statements'));
    const why = this.steps % LOOK_EVERY === 0 ? this.stop() : null;
    return why === null || this.end(env, node, 'takes-too-long', why);
  }

  /** An act; false when there may be none more. */
  act(env: Env, node: Node): boolean {
    if (this.overrun) return false;
    return ++this.acts <= MOST_ACTS_OF_FILE || this.end(env, node, 'too-many-acts', tooMany(MOST_ACTS_OF_FILE, 'acts'));
  }

  private end(env: Env, node: Node, code: Overrun['code'], message: string): false {
    this.overrun = { env, node, code, message };
    return false;
  }
}

function tooMany(most: number, what: string): string {
  return `the runs of this file have more than ${most} ${what} together; a stream of accesses is one act with a count: read a x 1000 step 4K`;
}
