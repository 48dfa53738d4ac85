/** The events of a thread as episodes: those of a vCPU from exit to entry, those of another task from one reason to the next. */
import { faultCode, mmuByBits } from './fault-code';
import type { Episode, Task } from './episode';
import { exitOf, mmuOfReason } from './exit';
import type { Recording } from './recording';
import { TAKE } from './take';
import { detached } from '../read-counts';
import { numberIn, wordIn, type TraceEvent } from '../trace-event';

/** Names that VMMs give to the threads of their vCPUs: `CPU 0/KVM`, `fc_vcpu 0`, `VCPU-0`, `vcpu1`, `crosvm_vcpu2`. */
const VCPU_NAME = /^CPU (\d+)\/KVM|vcpu[ _-]?(\d+)/i;

/** What makes a task other than a vCPU's touch the MMU. */
const REASONS: ReadonlySet<string> = new Set([
  'kvm_unmap_hva_range',
  'kvm_set_spte_hva',
  'kvm_age_hva',
  'kvm_test_age_hva',
  'kvm_mmu_zap_all_fast',
  'kvm_mmu_invalidate_zap_all_pages',
]);

export class Thread {
  readonly task: Task;
  private open: Episode | null = null;
  /** It has entered or left a guest. */
  private runs = false;
  /** The last entry. */
  private entry: Episode['entered'] = null;
  private episodes = 0;
  /** Kinds of the deeds that the open episode of another task began with. */
  private reason: string | null = null;

  constructor(
    event: TraceEvent,
    private readonly recording: Recording,
    private readonly onEpisode: (episode: Episode, thread: Thread) => void,
  ) {
    const named = VCPU_NAME.exec(event.comm);
    this.task = {
      host: event.host,
      comm: detached(event.comm),
      pid: event.pid,
      vcpu: named ? Number(named[1] ?? named[2]) : null,
    };
  }

  take(event: TraceEvent): void {
    const vcpu = numberIn(event, 'vcpu');
    if (vcpu !== null) this.task.vcpu = vcpu;
    switch (event.name) {
      case 'kvm_exit':
        return this.exited(event);
      case 'kvm_entry':
        return this.entered(event);
      case 'kvm_page_fault':
        return this.faulted(event);
      case 'kvm_nested_vmexit':
        return this.nestedExit(event);
      default:
        return this.did(event);
    }
  }

  /** The trace ends, or another one begins. */
  end(): void {
    if (this.open) this.open.partial = 'end';
    this.close('open');
  }

  private exited(event: TraceEvent): void {
    this.close('open');
    this.runs = true;
    const begun = this.begin(event);
    begun.exit = exitOf(event);
    begun.entered = this.entry;
  }

  private entered(event: TraceEvent): void {
    this.runs = true;
    const rip = wordIn(event, 'rip');
    this.entry = rip === null ? null : { rip, line: event.line };
    // Nothing is known of what came before the first one.
    if (!this.open) return;
    this.extend(event);
    this.close('entry');
  }

  private faulted(event: TraceEvent): void {
    if (this.open?.fault) this.close('open');
    const open = this.open ? this.extend(event) : this.begin(event);
    this.runs = true;
    const address = wordIn(event, 'address');
    const code = wordIn(event, 'error_code');
    if (address === null || code === null) return;
    const own = open.exit && (mmuOfReason(open.exit.reason) ?? (open.exit.reason === 'EXCEPTION_NMI' ? 'soft' : null));
    const bits = mmuByBits(code);
    // A code that can be one of #PF can also be another kind's.
    const mmu = own ?? (bits === 'soft' ? (this.recording.mmu ?? bits) : bits);
    const by = own ? 'exit' : bits === 'soft' && this.recording.mmu === mmu ? 'trace' : 'bits';
    open.fault = { address, space: mmu === 'soft' ? 'gva' : 'gpa', code: faultCode(code, mmu, by) };
  }

  private nestedExit(event: TraceEvent): void {
    const open = this.open ? this.extend(event) : this.begin(event);
    open.nested = true;
    open.exit ??= exitOf(event);
  }

  private did(event: TraceEvent): void {
    const take = TAKE[event.name];
    if (!this.open) {
      // What says nothing of memory is no reason to begin.
      if (!take && !REASONS.has(event.name)) return;
      this.begin(event);
      this.reason = event.name;
    } else if (!this.runs && this.startsAnew(event)) {
      this.close('open');
      this.begin(event);
      this.reason = event.name;
    } else this.extend(event);
    const { deeds } = this.open!;
    if (take) take(deeds, event);
    else {
      deeds.others ??= {};
      const name = detached(event.name);
      deeds.others[name] = (deeds.others[name] ?? 0) + 1;
    }
    this.recording.memory.take(event, this.open!);
  }

  /** Another task does something for another reason. */
  private startsAnew({ name }: TraceEvent): boolean {
    const { deeds, events } = this.open!;
    // Without exits, what tells faults apart is that each asks for one mapping.
    if (name === 'kvm_mmu_spte_requested') return deeds.requested !== undefined;
    if (!REASONS.has(name)) return false;
    return name !== this.reason || Object.keys(deeds).some((kind) => kind !== 'unmappedRange' && kind !== 'others') || events > 1000;
  }

  private begin(event: TraceEvent): Episode {
    const { line, offset, lines, time, cpu } = event;
    this.open = {
      task: this.task,
      vcpu: numberIn(event, 'vcpu'),
      cpu,
      line,
      offset,
      lastLine: line + lines - 1,
      events: 1,
      time,
      until: time,
      exit: null,
      nested: false,
      fault: null,
      deeds: {},
      ends: 'open',
      partial: null,
      entered: null,
    };
    return this.open;
  }

  private extend(event: TraceEvent): Episode {
    const open = this.open!;
    open.lastLine = event.line + event.lines - 1;
    open.until = event.time;
    open.events++;
    open.vcpu ??= numberIn(event, 'vcpu');
    return open;
  }

  private close(ends: 'entry' | 'open'): void {
    const { open } = this;
    if (!open) return;
    this.open = null;
    this.reason = null;
    open.ends = ends === 'open' && !this.recording.names.has('kvm_entry') ? 'unseen' : ends;
    if (this.episodes++ === 0 && !open.exit) open.partial ??= 'beginning';
    this.onEpisode(open, this);
  }
}
