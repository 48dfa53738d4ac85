/** The script. */
import type { Definitions } from '../definition';

export const SCRIPT_EVENTS = {
  continued: {
    group: 'other',
    fields: { row: ['count', 'of that event in the journal'] },
    changes: [],
    about: 'what an earlier event began goes on, after others; it may change what that may',
  },
  statement: {
    group: 'statement',
    fields: { statement: ['count', 'index of the statement'], act: ['count', 'index of what it does'] },
    changes: [],
    about: 'a statement of the script begins',
  },
} as const satisfies Definitions;
