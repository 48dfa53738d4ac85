/** What is known of the machine that a trace was recorded on, as it is read: its kernel, its processor, its MMU virtualization. */
import type { MmuKind } from '../../engine/program';
import { EVENTS, eventNamed } from '../../engine/journal/event-table';
import { printersOf } from '../../events/kernel-text/kernel-text';
import { isBefore, type Release } from '../../events/kernel-text/versions';
import type { Problems } from '../problems';
import type { HeadForm } from '../lines/line-head';
import type { TraceEvent } from '../trace-event';
import { VmMemory } from '../memory/vm-memory';
import { reasonOf, type Vendor } from './exit';
import { MmuEvidence } from './mmu-evidence';

/** Texts of an event that are looked at: what its others say of the kernel is the same. */
const MOST_TEXTS = 8;

interface Bound {
  readonly release: Release;
  readonly name: string;
  readonly line: number;
}

export class Recording {
  readonly forms: { [F in HeadForm]?: number } = {};
  /** trace-cmd's plugin, or lists of fields, printed some texts. */
  byPlugin = false;
  vendor: Vendor | null = null;
  private readonly evidence = new MmuEvidence();
  /** A guest of it is a hypervisor. */
  nested = false;
  /** Events of mmutrace.h were recorded (the system `kvmmmu`). */
  hasMmuEvents = false;
  /** By name: events that were recorded at all. */
  readonly names = new Map<string, number>();
  ticks = false;
  /** Memory of the VMs of it, which the trace does not tell apart. */
  readonly memory = new VmMemory();
  private since: Bound | null = null;
  private until: Bound | null = null;
  private readonly texts = new Map<string, number>();
  private readonly lastTimes = new Map<number, number>();

  constructor(
    readonly host: string | null,
    private readonly problems: Problems,
  ) {}

  /** First release that prints its texts so; null: they were always printed so. */
  get sinceKernel(): Release | null {
    return this.since?.release ?? null;
  }

  /** First release that does not any more. */
  get untilKernel(): Release | null {
    return this.until?.release ?? null;
  }

  take(event: TraceEvent): void {
    const { name, form } = event;
    this.forms[form] = (this.forms[form] ?? 0) + 1;
    this.names.set(name, (this.names.get(name) ?? 0) + 1);
    this.ticks ||= event.ticks;
    this.hasMmuEvents ||= eventNamed(name)?.tracepoint === EVENTS.kvm_mmu_get_page.tracepoint;
    this.nested ||= name.startsWith('kvm_nested_vm');
    this.evidence.take(event);
    if (name === 'kvm_exit') this.checkVendor(event);
    this.lookAt(event);
    this.checkClock(event);
  }

  /** The kind of MMU virtualization in force, as far as anything tells. */
  get mmu(): MmuKind | null {
    return this.evidence.kind(this.vendor);
  }

  private checkVendor(event: TraceEvent): void {
    const { vendor } = reasonOf(event);
    if (!vendor || vendor === this.vendor) return;
    if (this.vendor) {
      const [one, other] = vendor === 'amd' ? ['SVM', 'VMX'] : ['VMX', 'SVM'];
      this.problems.add('two-vendors', event.line, `an exit of ${one} behind exits of ${other}: traces of two hosts are mixed`);
    }
    this.vendor = vendor;
  }

  /** What its text says of the kernel. */
  private lookAt({ name, said, values, line }: TraceEvent): void {
    if (values === null) return;
    const seen = this.texts.get(name) ?? 0;
    if (seen >= MOST_TEXTS) return;
    this.texts.set(name, seen + 1);
    const printers = printersOf(name, said);
    if (printers.some(({ by }) => by !== 'kernel')) {
      this.byPlugin = true;
      return;
    }
    const sinces = printers.map(({ since }) => since);
    const untils = printers.map(({ until }) => until);
    if (sinces.every((since) => since !== undefined)) this.atLeast(sinces.sort(byRelease)[0], name, line);
    if (untils.every((until) => until !== undefined)) this.before(untils.sort(byRelease).at(-1)!, name, line);
  }

  private atLeast(release: Release, name: string, line: number): void {
    if (this.until && !isBefore(release, this.until.release)) return this.contradicts({ release, name, line }, this.until, 'since');
    if (!this.since || isBefore(this.since.release, release)) this.since = { release, name, line };
  }

  private before(release: Release, name: string, line: number): void {
    if (this.since && !isBefore(this.since.release, release)) return this.contradicts({ release, name, line }, this.since, 'until');
    if (!this.until || isBefore(release, this.until.release)) this.until = { release, name, line };
  }

  private contradicts(bound: Bound, other: Bound, kind: 'since' | 'until'): void {
    const [newer, older] = kind === 'since' ? [bound, other] : [other, bound];
    this.problems.add(
      'two-kernels',
      bound.line,
      `${newer.name} is printed so since ${newer.release} (line ${newer.line}), ${older.name} before ${older.release} (line ${older.line}): traces of two kernels are mixed, or one has backports`,
      bound.name,
    );
  }

  /** Within a CPU time goes on. */
  private checkClock({ cpu, time, line }: TraceEvent): void {
    if (cpu === null || time === null) return;
    const last = this.lastTimes.get(cpu);
    if (last !== undefined && time < last)
      this.problems.add('clock', line, `the clock of CPU ${cpu} goes back: two recordings follow each other, or are mixed`);
    this.lastTimes.set(cpu, time);
  }
}

function byRelease(one: Release, other: Release): number {
  return isBefore(one, other) ? -1 : 1;
}
