import { strict as assert } from 'node:assert';
import type { Result } from '../../server/src/engine/result';
import { bare } from '../../server/src/views/came-to';

const OK = { kind: 'ok', gpa: 0x5000, hva: null, hpa: 0x10_5000, value: null } as const;
const EXIT = { kind: 'vm-exit', reason: 'EPT_VIOLATION', code: 48, info1: 0x181n, info2: 0n, gpa: 0x5000, error: 0 } as const;

describe('what a result is by itself', () => {
  for (const [result, said] of [
    [OK, '→ hpa 0x10_5000'],
    [{ ...OK, hpa: null }, '→ gpa 0x5000'],
    [{ ...OK, hpa: null, gpa: null }, 'ok'],
    [{ kind: 'page-fault', error: 7, address: 0n }, '#PF(P W U)'],
    [{ kind: 'general-protection', error: 0 }, '#GP'],
    [{ kind: 'mmio', gpa: 0x5000, write: true, value: 1n }, 'MMIO write'],
    [{ kind: 'mmio', gpa: 0x5000, write: false, value: 1n }, 'MMIO read'],
    [{ kind: 'shutdown' }, 'shutdown'],
    [EXIT, 'exit EPT_VIOLATION at gpa 0x5000'],
    [{ ...EXIT, gpa: null }, 'exit EPT_VIOLATION'],
    [{ kind: 'error', errno: 'EINVAL', why: 'so' }, 'EINVAL'],
    [{ kind: 'done' }, undefined],
  ] as const satisfies readonly (readonly [Result, string | undefined])[]) {
    it(said ?? 'nothing', () => assert.equal(bare(result)?.what, said));
  }
});
