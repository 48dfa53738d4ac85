/** Where a line of the script is in a run. */
import type { RunView } from './view';

/** Journal row just before the first statement that begins at a line (from 0) or after it; the end when there is none. */
export function positionAtLine(view: RunView, uri: string, line: number): number {
  let best = view.record.length;
  let nearest = Infinity;
  for (const { act, origin, from } of view.record.outcomes) {
    const place = view.statement(origin);
    if (act < 0 || !place || place.uri !== uri) continue;
    const at = place.range.start.line;
    if (at < line || at > nearest || (at === nearest && from >= best)) continue;
    nearest = at;
    best = from;
  }
  return best;
}
