/** What a vCPU has to do before its guest is entered again (kvm_make_request, KVM_REQ_*). */

interface Asked {
  freeObsoleteRoots: boolean;
  sync: boolean;
  loadRoot: boolean;
  flushAll: boolean;
  flushCurrent: boolean;
  flushGuest: boolean;
}

export type Request = keyof Asked;

const NOTHING: Readonly<Asked> = {
  freeObsoleteRoots: false,
  sync: false,
  loadRoot: false,
  flushAll: false,
  flushCurrent: false,
  flushGuest: false,
};

export class Requests {
  private asked: Asked = { ...NOTHING };

  make(what: Request): void {
    this.asked[what] = true;
  }

  /** What waits, with what is asked for until {@link clear}. */
  get pending(): Readonly<Asked> {
    return this.asked;
  }

  clear(): void {
    this.asked = { ...NOTHING };
  }
}
