/**
 * What a hypervisor's vCPU runs on. The machine's Processor is one; for a hypervisor that is a guest itself, the vCPU that it
 * runs on is another (nested/nested-cpu.ts): the same questions, answered with the exits that the hypervisor sees.
 */
import type { Context } from '../../vcpu/processor-context';
import type { Outcome } from '../../vcpu/processor';
import type { Invalidations } from '../../vcpu/invalidations';
import type { Tlb } from '../../vcpu/tlb';
import type { Stage } from '../../x86/stage';
import type { Completion } from './instruction';
import type { ExitInfo, InjectedFault } from '../trace';

export interface Cpu {
  /** Load what the guest is to run with; invalidates nothing. */
  enter(context: Context): void;
  /** Make one access of the guest, within a page. Results stay in the fields below. */
  access(lo: number, hi: number, access: number): Outcome;
  /** What reading through {@link second} outside an access came to, when it failed. */
  failedBelow(): Outcome;
  /** Is a translation cached for the guest? */
  caches(lo: number, hi: number): boolean;

  /** Host-physical address reached. */
  readonly host: number;
  /** Address of the guest's space that the tables in hardware led to; under shadow tables the hypervisor's own address. */
  readonly gpa: number;
  /** What {@link host} is in the memory that the hypervisor runs in: the same on the machine's own processor; -1: it cannot be said. */
  readonly reached: number;
  /** #PF error code, qualification of an EPT violation, EXITINFO1 of a nested fault, address of the last two and misconfigurations. */
  readonly errorCode: number;
  readonly qualification: number;
  readonly exitInfo1Lo: number;
  readonly exitInfo1Hi: number;
  readonly exitGpaLo: number;
  readonly exitGpaHi: number;
  /** After Outcome.carriedOut: what the instruction came to. */
  readonly completion?: Completion | null;

  /** The second stage, for reading what lies behind it. */
  readonly second: Stage;
  readonly invalidations: Pick<
    Invalidations,
    'apply' | 'invlpg' | 'invpcid' | 'invept' | 'invvpid' | 'invlpga' | 'tlbControl' | 'transition'
  >;
  /** Its cached translations; a processor that a hypervisor emulates has none of its own. */
  readonly tlb?: Tlb;
  /** Entries read from memory so far. */
  readonly references: number;

  /**
   * The hypervisor runs, which is about to enter its guest. Nothing to do on the machine's own processor, where it always does.
   *
   * @returns why it cannot
   */
  wake?(): Completion | null;
  /**
   * The hypervisor executes VM entry. Nothing to do on the machine's own processor, which is entered as soon as it is loaded.
   *
   * @returns why the guest cannot run
   */
  launch?(event: InjectedFault | null): Completion | null;
  /** The guest is out, and the hypervisor runs: when the exit has not happened yet, it does now. */
  stop?(reason: number, info: ExitInfo): void;
}
