/** Fixtures with markers: `<|>` is the cursor (as often as it stands there), `⟦…⟧` are ranges. */

export interface Marked {
  /** The text without markers. */
  readonly text: string;
  /** Offset of the first cursor. @throws when there is none */
  readonly cursor: number;
  readonly cursors: readonly number[];
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

export function marked(fixture: string): Marked {
  let text = '';
  const cursors: number[] = [];
  const ranges: { start: number; end: number }[] = [];
  const open: number[] = [];
  for (const part of fixture.split(/(<\|>|⟦|⟧)/)) {
    if (part === '<|>') cursors.push(text.length);
    else if (part === '⟦') open.push(text.length);
    else if (part === '⟧') {
      const start = open.pop();
      if (start === undefined) throw new Error('⟧ without ⟦');
      ranges.push({ start, end: text.length });
    } else text += part;
  }
  if (open.length > 0) throw new Error('⟦ without ⟧');
  return {
    text,
    get cursor() {
      if (cursors.length === 0) throw new Error('the fixture has no <|>');
      return cursors[0];
    },
    cursors,
    ranges: ranges.sort((a, b) => a.start - b.start || b.end - a.end),
  };
}
