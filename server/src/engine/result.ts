/** What an act of a program came to. The engine answers with these; run records and views carry them. */

export interface ExitCount {
  /** KVM's name of the exit reason, as EPT_VIOLATION or npf. */
  readonly reason: string;
  readonly count: number;
}

export type Result =
  | {
      readonly kind: 'ok';
      readonly gpa: number | null;
      readonly hva: number | null;
      readonly hpa: number | null;
      readonly value: bigint | null;
    }
  | { readonly kind: 'page-fault'; readonly error: number; readonly address: bigint }
  | { readonly kind: 'general-protection'; readonly error: number }
  | { readonly kind: 'mmio'; readonly gpa: number; readonly write: boolean; readonly value: bigint }
  /** An exit that a hypervisor played by the script has to handle: its guest is out, the instruction not done. */
  | {
      readonly kind: 'vm-exit';
      readonly reason: string;
      readonly code: number;
      readonly info1: bigint;
      readonly info2: bigint;
      readonly gpa: number | null;
      /** VM-exit interruption error code (Intel: of an exception); 0: none. */
      readonly error: number;
    }
  /** The guest cannot go on (a triple fault): KVM_EXIT_SHUTDOWN. */
  | { readonly kind: 'shutdown' }
  /** KVM_RUN or an ioctl failed: name of the errno, and why. */
  | {
      readonly kind: 'error';
      readonly errno: string;
      readonly why: string;
      /** VM-instruction error (VMfailValid; SDM vol. 3C, "VM-Instruction Error Numbers"). */
      readonly vmInstructionError?: number;
    }
  | { readonly kind: 'dirty-log'; readonly gpas: readonly number[] }
  /** An act with nothing to say (register load, edit). */
  | { readonly kind: 'done' }
  | ExpectationResult;

export interface ExpectationResult {
  readonly kind: 'expectation';
  readonly holds: boolean;
  readonly expected: string;
  readonly got: string;
  /**
   * The expectation that would hold, as the language writes it; of an entry what stands behind its name, as `= 0x5067`. Null
   * when there is none, or it holds.
   */
  readonly instead: string | null;
}
