/** Stands in for the journal in the build without one: what the hooks of a journal that is off are measured against. */
export const ROW_WORDS = 5;
export const ROW_BYTES = 20;

export class Journal {
  length = 0;
  actor = 0;
  readonly words = new Int32Array(0);
  readonly full = false;

  get on(): false {
    return false;
  }

  set on(_on: boolean) {}

  readonly current = -1;

  row(): void {}
  change(): void {}
  dueTo(): void {}
  goesOn(): void {}
  append(): void {}
  head(): number {
    return 0;
  }
  reserve(): boolean {
    return true;
  }
}
