/** What an act came to, written as expectations of the language. */
import type { Outcome } from '../run/record';
import { errorCode } from '../events/decode';
import { hex } from '../events/wording';

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
    case 'shutdown':
      return 'shutdown';
    case 'mmio':
      return `mmio ${result.write ? 'write' : 'read'}`;
    case 'error':
      return `error ${result.errno}`;
    default:
      return null;
  }
}
