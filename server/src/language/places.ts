/** Where statements of a script stand, for those who show what became of them. */

/** Lines and characters count from zero, characters are UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly character: number;
}

export interface StatementPlace {
  readonly uri: string;
  readonly range: { readonly start: Place; readonly end: Place };
  /** The statement on one line, without comments. */
  readonly text: string;
  /** Of an expectation: the statement that it is about. */
  readonly of?: number;
  /** The block that it stands in. */
  readonly block?: string;
}
