/** A statement as one execution of it: with the values that names in it had, and where in the run it stands. */
import type { Bound, Program } from '../engine/program';
import type { StatementPlace } from '../language/places';
import { actText } from './act-text';
import type { Script } from './view';

interface Execution {
  /** `user write 0x40_1000 = 2` of `user write a = v`. */
  readonly text: string;
  /** The statement; of one in a block that which calls the block from the run. */
  readonly place: StatementPlace;
}

/** @param act index of the act; below 0: of the set-up */
export function executionOf(script: Script, program: Program, origin: number, act: number): Execution | null {
  const place: StatementPlace | undefined = script.statements[origin];
  if (!place) return null;
  const bound = program.bound?.[act] ?? null;
  if (!bound) return { text: place.text, place };
  return { text: script.written?.(origin, bound) ?? place.text, place: callsOf(script, bound).at(-1) ?? place };
}

/** The same with who performs it and at which address, where the statement leaves that open. */
export function performedText(script: Script, program: Program, origin: number, act: number): string {
  const { text, address } = actText(program, act, executionOf(script, program, origin, act)?.text ?? program.acts[act]?.do ?? '');
  return text + address;
}

/** Statements that call the blocks around, innermost first. */
export function callsOf({ statements }: Script, bound: Bound | null): StatementPlace[] {
  const calls: StatementPlace[] = [];
  for (let at = bound; at; at = at.outer) if (at.call !== undefined && statements[at.call]) calls.push(statements[at.call]);
  return calls;
}
