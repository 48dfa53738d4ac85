/**
 * Workers for all documents. A document stays with its worker, which knows its runs; it has one of its own as long as there are
 * enough, so that an expensive scenario keeps no other one waiting, and shares that of the cheapest ones otherwise.
 */
import type { WorkerLike } from '../worker/worker-like';
import { ScriptWorker } from './script-worker';

interface Member {
  readonly worker: ScriptWorker;
  readonly uris: Set<string>;
}

interface PoolOptions {
  /** Workers at most; each is made when it is first needed. */
  readonly size: number;
  spawn(): WorkerLike;
  later(call: () => void, milliseconds: number): void;
  /** What was known of these documents' runs is lost. */
  lost(uris: readonly string[]): void;
}

export class WorkerPool {
  private readonly members: Member[] = [];
  /** Milliseconds of the last job of each document. */
  private readonly costs = new Map<string, number>();

  constructor(private readonly options: PoolOptions) {}

  /** Makes the first worker, before a document needs it. */
  start(): void {
    if (this.members.length === 0) this.add().worker.start();
  }

  /** The worker of a document. */
  of(uri: string): ScriptWorker {
    const member = this.memberOf(uri) ?? this.vacancy();
    member.uris.add(uri);
    return member.worker;
  }

  /** A document's last job took so many milliseconds, or at least so many when it was given up. */
  took(uri: string, milliseconds: number): void {
    if (this.memberOf(uri)) this.costs.set(uri, Math.max(milliseconds, (this.costs.get(uri) ?? 0) / 2));
  }

  /** The document is closed. A worker without documents is kept for the next one, a second such is ended. */
  forget(uri: string): void {
    const member = this.memberOf(uri);
    this.costs.delete(uri);
    if (!member) return;
    member.uris.delete(uri);
    member.worker.forget(uri);
    if (member.uris.size > 0 || !this.members.some((other) => other !== member && other.uris.size === 0)) return;
    this.members.splice(this.members.indexOf(member), 1);
    member.worker.dispose();
  }

  dispose(): void {
    for (const { worker } of this.members) worker.dispose();
    this.members.length = 0;
  }

  private memberOf(uri: string): Member | undefined {
    return this.members.find(({ uris }) => uris.has(uri));
  }

  /** For a document that has none: one without documents, a new one, or the one whose documents cost least. */
  private vacancy(): Member {
    const free = this.members.find(({ uris }) => uris.size === 0);
    if (free) return free;
    if (this.members.length < this.options.size) return this.add();
    const [first, ...others] = this.members;
    return others.reduce((cheapest, each) => (this.costOf(each) < this.costOf(cheapest) ? each : cheapest), first);
  }

  private costOf({ uris }: Member): number {
    let sum = 0;
    for (const uri of uris) sum += this.costs.get(uri) ?? UNKNOWN;
    return sum;
  }

  private add(): Member {
    const uris = new Set<string>();
    const { spawn, later, lost } = this.options;
    const worker = new ScriptWorker({ spawn, later, lost: () => lost([...uris]) });
    const member = { worker, uris };
    this.members.push(member);
    return member;
  }
}

/** Cost, in milliseconds, of a document whose first job is not over. */
const UNKNOWN = 1000;
