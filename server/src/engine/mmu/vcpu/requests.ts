/** What a vCPU has to do before its guest is entered again (kvm_make_request, KVM_REQ_*). */

export type Request = 'freeObsoleteRoots' | 'sync' | 'loadRoot' | 'flushAll' | 'flushCurrent' | 'flushGuest';

export class Requests {
  private readonly made = new Set<Request>();

  make(what: Request): void {
    this.made.add(what);
  }

  /** Is it asked for? Then it is not any more (kvm_check_request). */
  take(what: Request): boolean {
    return this.made.delete(what);
  }

  get pending(): boolean {
    return this.made.size > 0;
  }
}
