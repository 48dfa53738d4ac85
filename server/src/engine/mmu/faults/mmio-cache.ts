/** The one MMIO access that a vCPU remembers (§5.3 P1; x86.h: vcpu_cache_mmio_info). */
import { FRAME_LOW } from '../../x86/entries';

export class MmioCache {
  /** {@link Acc} rights of the address when it was remembered. */
  access = 0;
  gfn = 0;
  private gvaLo = 0;
  private gvaHi = 0;
  private generation = -1;

  /** @param now generation of the slots: another one, and nothing matches any more */
  constructor(private readonly now: () => number) {}

  /** @param lo linear address; 0 when only the guest-physical one counts */
  remember(lo: number, hi: number, gfn: number, access: number): void {
    this.gvaLo = lo & FRAME_LOW;
    this.gvaHi = hi;
    this.gfn = gfn;
    this.access = access;
    this.generation = this.now();
  }

  matchesGva(lo: number, hi: number): boolean {
    return this.fresh && (this.gvaLo | this.gvaHi) !== 0 && this.gvaLo === (lo & FRAME_LOW) && this.gvaHi === hi;
  }

  matchesGpa(gpa: number): boolean {
    return this.fresh && this.gfn !== 0 && this.gfn === Math.floor(gpa / 4096);
  }

  forgetGva(lo: number, hi: number): void {
    if (this.gvaLo === (lo & FRAME_LOW) && this.gvaHi === hi) this.forgetAllGva();
  }

  /** Linear addresses may mean something else by now (vcpu_clear_mmio_info of any address). */
  forgetAllGva(): void {
    this.gvaLo = this.gvaHi = 0;
  }

  private get fresh(): boolean {
    return this.generation === this.now();
  }
}
