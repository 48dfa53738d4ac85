/** All statements of scripts. */
import type { StatementKind } from '../kind';
import { constant } from '../machine/const';
import type { Const } from '../machine/const';
import { store } from '../machine/memory-word';
import type { MemoryWord } from '../machine/memory-word';
import type { ErrorNode } from '../syntax/tree';
import { access } from './access';
import type { Access } from './access';
import { call } from './call';
import type { Call } from './call';
import { checkInvariants } from './check-invariants';
import type { CheckInvariants } from './check-invariants';
import { edit } from './edit';
import type { Edit } from './edit';
import { enter } from './enter';
import type { Enter } from './enter';
import { expect } from './expect';
import type { Expect } from './expect';
import { scriptLoop } from './for';
import type { For } from './for';
import { hostActs } from './host-acts';
import type { HostActs } from './host-acts';
import { instruction } from './instruction';
import type { Instruction } from './instruction';
import { invalidate } from './invalidate';
import type { Invalidate } from './invalidate';
import { movFrom } from './mov-from';
import type { MovFrom } from './mov-from';
import { rdmsr } from './rdmsr';
import type { Rdmsr } from './rdmsr';
import { performed } from './performed';
import type { Performed } from './performed';
import { registerLoad } from './register-load';
import type { RegisterLoad } from './register-load';
import { same } from './same';
import type { Same } from './same';
import { underStatement } from './under';
import type { UnderStatement } from './under';

export type Statement = KnownStatement | ErrorNode;
type KnownStatement =
  | Access
  | Edit
  | MemoryWord
  | RegisterLoad
  | MovFrom
  | Rdmsr
  | Instruction
  | Invalidate
  | Enter
  | Call
  | Performed
  | HostActs
  | For
  | UnderStatement
  | Const
  | Expect
  | Same
  | CheckInvariants;

/** Those come first that begin with a name: a name may be a word of the language too. */
export const STATEMENT_KINDS: { readonly [K in KnownStatement['kind']]: StatementKind<Extract<KnownStatement, { kind: K }>> } = {
  performed,
  edit,
  call,
  access,
  'memory-word': store,
  'register-load': registerLoad,
  'mov-from': movFrom,
  rdmsr,
  instruction,
  invalidate,
  enter,
  'host-acts': hostActs,
  for: scriptLoop,
  'under-statement': underStatement,
  const: constant,
  expect,
  same,
  'check-invariants': checkInvariants,
};

export function statementKind<N extends KnownStatement>(node: N): StatementKind<N> {
  return STATEMENT_KINDS[node.kind] as unknown as StatementKind<N>;
}
