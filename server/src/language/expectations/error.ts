/** `error EEXIST` */
import { bindParts, noAddress } from '../kind';
import type { Brings, ExpectationKind } from '../kind';
import type { Rule } from '../syntax/grammar/rule';
import type { Base, Word } from '../syntax/tree';

export interface ExpectError extends Base {
  readonly kind: 'expect-error';
  readonly errno: Word | null;
}

const ERRNO = { ERR_MSG: 'an errno, as EEXIST', UNKNOWN: 'unknown-word' } as const;

/** `error EEXIST` */
const rule: Rule<[], ExpectError> = ($) => () => {
  const start = $.CONSUME($.t.word('error')).startOffset;
  const errno = $.wordOrNull($.CONSUME($.t.Errno, ERRNO), 'errno');
  return { kind: 'expect-error', errno, range: $.since(start) };
};

export const error: ExpectationKind<ExpectError> & Brings<'errno'> = {
  rule,
  words: {
    expectation: {
      error: 'The ioctl or KVM_RUN failed with this errno: `error EEXIST`.',
    },
    errno: {
      EINVAL: 'Invalid argument: alignment, wrap-around, a change that KVM does not allow.',
      EEXIST: 'The slot overlaps another one.',
      ENOENT: 'No such slot, or it does not log.',
      EFAULT: 'The memory of the VMM cannot be accessed so.',
      ENOMEM: 'Out of memory.',
      ENXIO: 'Not available in this configuration.',
      EAGAIN: 'The guest does not run: its hypervisor, played by the script, has to enter it.',
      EBUSY: 'The guest runs already.',
      ELOOP: 'An access faults again and again without getting on: nothing that KVM does helps it.',
      ENOSPC: 'No shadow page can be had.',
      EIO: 'KVM has ended the VM by a bug of its own (KVM_BUG_ON): every further ioctl fails.',
      EOPNOTSUPP: 'There can be no such machine: KVM does not offer it.',
      KVM_INTERNAL_ERROR: 'KVM cannot emulate the instruction (KVM_EXIT_INTERNAL_ERROR): it cannot be fetched where no memory is.',
      VMfailInvalid: 'VMX: an instruction fails, and there is no VMCS to say why.',
      VMfailValid:
        'VMX: an instruction fails, and the VM-instruction error says why: VMLAUNCH and VMRESUME refuse the VMCS, INVEPT and INVVPID an operand.',
    },
  },
  bind: bindParts,
  address: noAddress,
  outcome: () => 'error',
  ofLastAct: false,
  lower: (_script, { errno }) => (errno ? [{ kind: 'error', errno: errno.text }] : []),
};
