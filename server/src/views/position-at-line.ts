/** Where a line of the script is in a run. */
import { callsOf } from './execution';
import type { RunView } from './view';

/** Journal row just before the first statement that begins at a line (from 0) or after it; the end when there is none. */
export function positionAtLine(view: RunView, uri: string, line: number): number {
  let best = view.record.length;
  let nearest = Infinity;
  for (const { act, origin, from } of view.record.outcomes) {
    const place = view.statement(origin);
    if (act < 0 || !place) continue;
    for (const each of [place, ...callsOf(view.script, view.record.program.bound?.[act] ?? null)]) {
      const at = each.range.start.line;
      if (each.uri !== uri || at < line || at > nearest || (at === nearest && from >= best)) continue;
      nearest = at;
      best = from;
    }
  }
  return best;
}
