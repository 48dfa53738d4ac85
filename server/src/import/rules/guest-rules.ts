/** What the guest comes to. */
import { exceptionName } from '../../events/kernel-text/holes';
import type { Rules } from './rule';

const SHUTDOWNS = ['TRIPLE_FAULT', 'shutdown'];

export const GUEST_RULES = {
  'during-delivery': {
    about:
      'The guest left while an event was being delivered to it: the processor was writing to the stack or reading the IDT. KVM delivers the event again, or gives up where an exit of this kind cannot be handled in the middle of it.',
    sure: 'proves',
    function: 'vmx/vmx.c: __vmx_complete_interrupts, __vmx_handle_exit; svm/svm.c: svm_complete_interrupts',
    section: '6.2',
    sample: 'during-delivery.trace',
    episode: ({ exit }) => {
      const delivering = exit?.delivering;
      if (!delivering) return null;
      const { type, vector } = delivering;
      const name = type === 'exception' ? exceptionName(vector) : `${type} 0x${vector.toString(16)}`;
      return () => `${exit.reason} came while ${name} was being delivered`;
    },
  },
  'triple-fault': {
    about: 'The guest is shut down: an exception while #DF was being delivered. What it could not deliver is injected or faulted before.',
    sure: 'proves',
    function: 'vmx/vmx.c: handle_triple_fault; svm/svm.c: shutdown_interception',
    section: '2.11',
    sample: 'write-protect-by-role.trace',
    episode: ({ exit }, { injected }) =>
      exit && SHUTDOWNS.includes(exit.reason)
        ? () =>
            injected
              ? `the guest is shut down; the last exception that KVM injected is ${injected.vector}, line ${injected.line}`
              : 'the guest is shut down; KVM injected no exception before'
        : null,
  },
} satisfies Rules;
