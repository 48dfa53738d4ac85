/** The memory that a hypervisor runs in, where its tables and its guests' pages lie: the machine's, or a guest's. */
import { high, low } from '../bits';
import type { PhysicalMemory } from './physical-memory';

/** Read and written as 64-bit words, at aligned addresses. */
export interface WordMemory {
  low(address: number): number;
  high(address: number): number;
  write(address: number, lo: number, hi: number): void;
}

export interface HypervisorMemory extends WordMemory {
  /**
   * Host-physical address of a word that the hypervisor is about to read by its own (physical) address.
   *
   * @returns -1: no memory is there
   */
  reach(address: number): number;
  /** The same by looking only, as if from outside. */
  look(address: number): number;
  /** Set bits in a word: how accessed and dirty flags are set. */
  setBits(address: number, lo: number, hi: number): void;
}

/** L0 runs in the machine's memory. */
export class MachineMemory implements HypervisorMemory {
  constructor(private readonly physical: PhysicalMemory) {}

  low(address: number): number {
    return this.physical.low(address);
  }

  high(address: number): number {
    return this.physical.high(address);
  }

  write(address: number, lo: number, hi: number): void {
    this.physical.write(address, lo, hi);
  }

  reach(address: number): number {
    return address;
  }

  look(address: number): number {
    return address;
  }

  setBits(address: number, lo: number, hi: number): void {
    this.physical.setBits(this.physical.locate(low(address), high(address)), lo, hi);
  }
}
