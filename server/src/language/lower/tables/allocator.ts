/**
 * Where tables lie whose place is not written. Tables follow the root page by page, within the slots of the VM, past pages
 * that are taken: by other tables, by `word` and `load`, by the memory of VMs inside, and, while there are others, by pages
 * that mappings lead to. A mapping that leads to the root itself (a direct map of memory) takes nothing.
 */
import { PAGE_SIZE } from '../../../engine/bits';

export interface Area {
  readonly from: number;
  /** First address behind it. */
  readonly end: number;
}

/** What is taken in a VM's memory before tables are placed. */
export interface Claims {
  /** Numbers of pages. */
  readonly pages: ReadonlySet<number>;
  /** What mappings lead to. */
  readonly mapped: readonly Area[];
  /** Areas kept for tables of one name (`at a +len`), by those tables. */
  readonly reserved: ReadonlyMap<unknown, Area>;
  /** Memory of VMs inside this one, and what files fill. */
  readonly filled: readonly Area[];
  /** Slots, ascending. */
  readonly slots: readonly Area[];
}

export class TableAllocator {
  private readonly taken: Set<number>;

  constructor(private readonly claims: Claims) {
    this.taken = new Set(claims.pages);
  }

  /** The page is a table's now. */
  take(gpa: number): void {
    this.taken.add(Math.floor(gpa / PAGE_SIZE));
  }

  /**
   * A page for a table of `owner`, behind `after` where there is one; null: there is no room.
   *
   * @param root of the owner, null while it is what is looked for
   */
  allocate(owner: unknown, after: number, root: number | null): number | null {
    const area = this.claims.reserved.get(owner);
    const { filled } = this.claims;
    const others = [...filled, ...[...this.claims.reserved].filter(([other]) => other !== owner).map(([, reserved]) => reserved)];
    const mapped = this.claims.mapped.filter((each) => root === null || !contains(each, root));
    const areas = area ? [area] : this.claims.slots;
    const found = this.search(areas, after, [...others, ...mapped]) ?? this.search(areas, after, others);
    if (found !== null) this.take(found);
    return found;
  }

  /** First free page behind `after`, then from the start. */
  private search(areas: readonly Area[], after: number, avoid: readonly Area[]): number | null {
    const next = (Math.floor(after / PAGE_SIZE) + 1) * PAGE_SIZE;
    return this.from(areas, next, avoid) ?? this.from(areas, PAGE_SIZE, avoid);
  }

  private from(areas: readonly Area[], start: number, avoid: readonly Area[]): number | null {
    for (const area of areas) {
      let page = Math.ceil(Math.max(area.from, start) / PAGE_SIZE) * PAGE_SIZE;
      while (page + PAGE_SIZE <= area.end) {
        const inside = avoid.find((each) => contains(each, page));
        if (inside) page = Math.ceil(inside.end / PAGE_SIZE) * PAGE_SIZE;
        else if (this.taken.has(page / PAGE_SIZE)) page += PAGE_SIZE;
        else return page;
      }
    }
    return null;
  }
}

function contains(area: Area, gpa: number): boolean {
  return area.from <= gpa && gpa < area.end;
}
