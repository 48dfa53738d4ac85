/** All expectations. */
import type { ExpectationKind } from '../kind';
import type { ErrorNode } from '../syntax/tree';
import { address } from './address';
import type { ExpectAddress } from './address';
import { count } from './count';
import type { ExpectCount } from './count';
import { dirty } from './dirty';
import type { ExpectDirty } from './dirty';
import { entry } from './entry';
import type { ExpectEntry } from './entry';
import { error } from './error';
import type { ExpectError } from './error';
import { events } from './events';
import type { ExpectEvents } from './events';
import { exit } from './exit';
import type { ExpectExit } from './exit';
import { fault } from './fault';
import type { ExpectFault } from './fault';
import { mmio } from './mmio';
import type { ExpectMmio } from './mmio';
import { ok } from './ok';
import type { ExpectOk } from './ok';
import { page } from './page';
import type { ExpectPage } from './page';
import { register } from './register';
import type { ExpectRegister } from './register';
import { shutdown } from './shutdown';
import type { ExpectShutdown } from './shutdown';
import { total } from './total';
import type { ExpectTotal } from './total';
import { value } from './value';
import type { ExpectValue } from './value';
import { word } from './word';
import type { ExpectWord } from './word';

export type Expectation = KnownExpectation | ErrorNode;
type KnownExpectation =
  | ExpectOk
  | ExpectFault
  | ExpectMmio
  | ExpectShutdown
  | ExpectError
  | ExpectExit
  | ExpectValue
  | ExpectAddress
  | ExpectCount
  | ExpectTotal
  | ExpectEntry
  | ExpectPage
  | ExpectDirty
  | ExpectEvents
  | ExpectWord
  | ExpectRegister;

export const EXPECTATION_KINDS: { readonly [K in KnownExpectation['kind']]: ExpectationKind<Extract<KnownExpectation, { kind: K }>> } = {
  'expect-ok': ok,
  'expect-fault': fault,
  'expect-mmio': mmio,
  'expect-shutdown': shutdown,
  'expect-error': error,
  'expect-exit': exit,
  'expect-value': value,
  'expect-address': address,
  'expect-count': count,
  'expect-total': total,
  'expect-entry': entry,
  'expect-page': page,
  'expect-dirty': dirty,
  'expect-events': events,
  'expect-word': word,
  'expect-register': register,
};

export function expectationKind<N extends KnownExpectation>(node: N): ExpectationKind<N> {
  return EXPECTATION_KINDS[node.kind] as unknown as ExpectationKind<N>;
}
