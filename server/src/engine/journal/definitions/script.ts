/** The script. */
import type { Definitions } from '../definition';

export const SCRIPT_EVENTS = {
  statement: {
    group: 'statement',
    fields: { statement: ['count', 'index of the statement'], act: ['count', 'index of what it does'] },
    about: 'a statement of the script begins',
  },
} as const satisfies Definitions;
