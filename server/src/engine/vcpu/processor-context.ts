import { STAGE_GUEST } from '../journal/events';
import type { Format } from '../x86/formats';
import type { PmlLog } from './pml-log';

/** What stands in hardware while somebody runs. Change it between accesses, then `Processor.enter` it again. */
export class Context {
  /** Tables that linear addresses are walked through; null: no paging. */
  first: Format | null = null;
  rootLo = 0;
  rootHi = 0;
  /** PAE: the PDPTE registers (Registers.pdptes); null: read from memory at each walk. */
  pdptes: Int32Array | null = null;
  /** STAGE_GUEST, or STAGE_SHADOW when the tables are a hypervisor's shadow. */
  firstStage = STAGE_GUEST;
  /** `Policy` and `Keys` bits in force, and their registers. */
  policy = 0;
  keys = 0;
  pkru = 0;
  pkrs = 0;
  /** CR4.PGE. */
  globalPages = false;
  /** 0 without CR4.PCIDE. */
  pcid = 0;
  /** VPID, or ASID; 0: untagged, and `Invalidations.transition` is due on each VM entry and exit. */
  vpid = 0;
  /** EPT or nested tables; null: none. */
  second: Format | null = null;
  secondRootLo = 0;
  secondRootHi = 0;
  /** `Policy` of the second stage: the host's NXE and SMEP for nested tables, 0 for EPT. */
  secondPolicy = 0;
  pml: PmlLog | null = null;
}
