/** What an empty document is told to begin with. */
import type { CodeLens, InlayHint } from 'vscode-languageserver-types';
import type { Analysis } from '../language/analysis';
import { NEW_SCENARIO_COMMAND, OPEN_SAMPLES_COMMAND } from '../protocol/messages';

/** Short enough for hints that an editor cuts: VS Code at 43 characters. */
const GREETING = 'type scenario or vm; completion has more';

const START = { line: 0, character: 0 };

/** Null: something is written already. */
export function greeting({ parsed: { text } }: Analysis): InlayHint | null {
  if (text.trim() !== '') return null;
  return { position: START, label: GREETING, tooltip: 'A scenario is a machine (`vm`) and a script (`run`).' };
}

/** Commands of the editor that fill an empty document; none where something is written. */
export function greetingLenses({ uri, parsed: { text } }: Analysis): CodeLens[] {
  if (text.trim() !== '') return [];
  const range = { start: START, end: START };
  return [
    { range, command: { title: 'Start from a template…', command: NEW_SCENARIO_COMMAND, arguments: [uri] } },
    { range, command: { title: 'Open a sample…', command: OPEN_SAMPLES_COMMAND } },
  ];
}
