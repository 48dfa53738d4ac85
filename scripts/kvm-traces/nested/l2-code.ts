/** L2: one page of code that makes the access asked for and then calls its hypervisor. */
import type { Act, Performer } from '../../../server/src/engine/program';
import type { Result } from '../../../server/src/engine/result';
import type { NestedOp } from '../scenario';
import type { NestedSetup } from './setup';

export const L2: Performer = { vm: 1, vcpu: 0 };

/** One instruction: where it stands, and what it does besides being fetched. */
interface Step {
  readonly rip: bigint;
  readonly act: Act | null;
  /** What L2 has in RAX after it, if it is loaded there. */
  readonly loads?: (done: Result) => bigint;
  /** Bytes by which RSP moves. */
  readonly moves?: number;
}

type Access = Extract<Act, { do: 'access' }>;

/** The routine at an address that is called: `mov $imm,%eax`, then `ret`. */
const MOV_LENGTH = 5n;

export class L2Code {
  private steps: Step[] = [];
  /** RAX. */
  value = 0n;
  /** RSP; an operation that ends within the routine leaves it where it is. */
  private stack: number;

  constructor(
    private readonly setup: NestedSetup,
    private readonly perform: (act: Act) => Result,
  ) {
    this.stack = setup.l2Rsp;
  }

  begin(op: NestedOp): void {
    this.value = 0n;
    const { at } = this;
    const call: Step = { rip: at('call'), act: { do: 'instruction', origin: 0, by: L2, instruction: 'vmcall' } };
    this.steps = [{ rip: at('start'), act: null }, ...this.accessOf(op), call];
  }

  /** Until something exits, or ends L2. Each instruction is fetched anew. */
  run(): Result {
    for (;;) {
      const [{ rip, act, loads, moves = 0 }] = this.steps;
      const fetched = this.perform(access('fetch', rip, null));
      if (!carriedOut(fetched)) return fetched;
      const done = act === null ? fetched : this.perform(act);
      if (!carriedOut(done)) return done;
      if (loads !== undefined) this.value = loads(done);
      this.stack += moves;
      this.steps.shift();
    }
  }

  /** The instruction that has exited is done, by its hypervisor. */
  skip(): void {
    this.steps.shift();
  }

  private readonly at = (step: keyof NestedSetup['code']): bigint => BigInt(this.setup.l2Rip + this.setup.code[step]);

  private accessOf({ l2, va, value }: NestedOp): Step[] {
    const { at } = this;
    const base = { origin: 0, by: L2 } as const;
    switch (l2) {
      case 'NOP':
        return [];
      case 'R':
        return [{ rip: at('R'), act: access('read', va, null), loads: valueOf }];
      case 'W':
        // `mov %rdx,%rax` follows.
        return [
          { rip: at('W'), act: access('write', va, value) },
          { rip: at('W') + 3n, act: null, loads: () => value },
        ];
      case 'RMW':
        return [{ rip: at('RMW'), act: access('rmw', va, value) }];
      case 'X': {
        const stack = BigInt(this.stack - 8);
        return [
          { rip: at('X'), act: access('write', stack, at('X') + 2n), moves: -8 },
          { rip: va, act: access('fetch', va, null), loads: (done) => (valueOf(done) >> 8n) & 0xffff_ffffn },
          { rip: va + MOV_LENGTH, act: access('read', stack, null), moves: 8 },
        ];
      }
      case 'INVLPG':
        return [{ rip: at('INVLPG'), act: { ...base, do: 'invlpg', address: va } }];
      case 'CR3':
        return [{ rip: at('CR3'), act: { ...base, do: 'register', register: 'cr3', value } }];
    }
  }
}

function carriedOut({ kind }: Result): boolean {
  return kind === 'ok' || kind === 'done' || kind === 'mmio';
}

function valueOf(done: Result): bigint {
  return done.kind === 'ok' || done.kind === 'mmio' ? (done.value ?? 0n) : 0n;
}

function access(kind: Access['access'], address: bigint, value: bigint | null): Access {
  const how = { user: false, implicit: false, ac: null, size: 8, count: 1, stride: 0n, handler: null } as const;
  return { do: 'access', origin: 0, by: L2, access: kind, address, value, ...how };
}
