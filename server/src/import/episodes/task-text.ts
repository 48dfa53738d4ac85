/** What a task is called. */
import type { Task } from './episode';

/** `vCPU 0 (qemu-kvm-4101)`, `khugepaged-35` */
export function taskText({ host, comm, pid, vcpu }: Task, own: number | null = null): string {
  const number = own ?? vcpu;
  const name = `${host ? `${host}: ` : ''}${comm}-${pid}`;
  return number === null ? name : `vCPU ${number} (${name})`;
}
