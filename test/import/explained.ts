/** Traces of tests: explained whole. */
import { readFileSync } from 'node:fs';
import { Explainer } from '../../server/src/import/explainer';
import type { Explanation } from '../../server/src/import/explanation';

export function explained(text: string | Uint8Array, most = 1000): Explanation {
  const explainer = new Explainer({ most });
  explainer.push(typeof text === 'string' ? Buffer.from(text) : text);
  return explainer.end();
}

export const sample = (name: string): Buffer => readFileSync(new URL(`../../samples/traces/${name}`, import.meta.url));

let clock = 0;

/** A line of ftrace; each is a microsecond later than the one before. */
export function line(event: string, task = 'CPU 0/KVM-100', cpu = 0): string {
  clock += 1;
  return ` ${task.padStart(20)} [00${cpu}] ..... ${(clock / 1e6).toFixed(6)}: ${event}\n`;
}

export const exit = (reason: string, rip = '0x10', info = '181', vcpu = 0): string =>
  `kvm_exit: vcpu ${vcpu} reason ${reason} rip ${rip} info1 0x${info.padStart(16, '0')} info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000`;
export const fault = (address: string, code = '0x181', rip = '0x10', vcpu = 0): string =>
  `kvm_page_fault: vcpu ${vcpu} rip ${rip} address 0x${address.padStart(16, '0')} error_code ${code}`;
export const entry = (rip = '0x10', vcpu = 0): string => `kvm_entry: vcpu ${vcpu}, rip ${rip}`;

/** An EPT violation that ends in a mapping. */
export function mapped(gfn: number, task?: string): string {
  const frame = gfn.toString(16);
  return [
    exit('EPT_VIOLATION'),
    fault(`${frame}000`),
    `kvm_mmu_spte_requested: gfn ${frame} pfn 1${frame} level 1`,
    `kvm_tdp_mmu_spte_changed: as id 0 gfn ${frame} level 1 old_spte 0 new_spte 6000000${frame.padStart(5, '0')}b77`,
    `kvm_mmu_set_spte: gfn ${frame} spte 6000000${frame.padStart(5, '0')}b77 (rwxu) level 1 at 1000`,
    entry(),
  ]
    .map((event) => line(event, task))
    .join('');
}

/** One that ends in nothing. */
export function unanswered(address: string, rip = '0x10', task?: string): string {
  return [exit('EPT_VIOLATION', rip), fault(address, '0x181', rip), entry(rip)].map((event) => line(event, task)).join('');
}
