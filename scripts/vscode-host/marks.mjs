/** Marks by which what tests in the extension host print is told from VS Code speaking of itself. */

/** Before the counts, which are JSON: `{ passes, failures, pending }`. */
export const COUNTS = '<<counts>>';
/** Before each other line. */
export const SAID = '│ ';
