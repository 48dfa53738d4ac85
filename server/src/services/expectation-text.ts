/** What an act came to, written as expectations of the language. */
import type { Expectation } from '../engine/program';
import type { Outcome } from '../run/record';
import { errorCode } from '../views/decode';
import { totalExits } from '../views/outcome';
import { hex } from '../views/text';

/** `ok`, `#PF(P W U)`, `mmio read`, `error EEXIST`; null when there is nothing to expect. */
export function resultExpectation({ result }: Outcome): string | null {
  switch (result.kind) {
    case 'ok':
      return 'ok';
    case 'page-fault': {
      const flags = errorCode(result.error);
      return flags.includes('0x') ? `#PF(${hex(result.error)})` : `#PF(${flags.replaceAll('·', ' ')})`;
    }
    case 'general-protection':
      return '#GP';
    case 'mmio':
      return `mmio ${result.write ? 'write' : 'read'}`;
    case 'error':
      return `error ${result.errno}`;
    default:
      return null;
  }
}

/** The same expectation as it would hold of an outcome; null when the outcome does not tell. */
export function actualExpectation(what: Expectation, outcome: Outcome): string | null {
  const { result } = outcome;
  switch (what.kind) {
    case 'ok':
    case 'page-fault':
    case 'general-protection':
    case 'mmio':
    case 'error':
      return resultExpectation(outcome);
    case 'value':
      return result.kind === 'ok' && result.value !== null ? `value ${hex(result.value)}` : null;
    case 'address':
      return result.kind === 'ok' && result[what.space] !== null ? `${what.space} ${hex(result[what.space]!)}` : null;
    case 'hpa-of-gpa':
      return result.kind === 'ok' && result.gpa !== null ? `hpa of gpa ${hex(result.gpa)}` : null;
    case 'exits': {
      if (what.from !== undefined) return null;
      if (what.reason === null) return `exits ${totalExits(outcome.exits)}`;
      const count = outcome.exits.find(({ reason }) => reason === what.reason)?.count ?? 0;
      return `exits ${count} of ${what.reason}`;
    }
    case 'references':
      return `references ${outcome.references}`;
    default:
      return null;
  }
}
