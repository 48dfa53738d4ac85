/** Whether a text is a recorded trace: an event of KVM stands in one of its first lines. */
import { knownEvent } from '../events/kernel-text/kernel-text';
import { lineHead } from './lines/line-head';

const MOST_LINES = 200;

export function looksLikeTrace(text: string): boolean {
  return text.split('\n', MOST_LINES).some((line) => {
    const head = lineHead(line);
    return head !== null && knownEvent(head.event) !== null;
  });
}
