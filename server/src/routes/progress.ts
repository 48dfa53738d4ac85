/** Work-done progress of runs that take long. */
import type { Connection, WorkDoneProgressReporter } from 'vscode-languageserver';
import type { Guard } from './guard';

/** Milliseconds that a run may take before it is shown. */
const SHOW_AFTER = 1000;

interface Running {
  readonly title: string;
  reporter: WorkDoneProgressReporter | null;
  over: boolean;
}

export class ProgressReports {
  private readonly running = new Map<string, Running>();
  /** Where the asker of a run wants it shown, until it begins. */
  private readonly wanted = new Map<string, WorkDoneProgressReporter>();

  /** @param create makes progress of the server's own; null when the client shows none */
  constructor(
    private readonly create: Connection['window']['createWorkDoneProgress'] | null,
    private readonly later: (call: () => void, milliseconds: number) => () => void,
    private readonly guard: Guard,
  ) {}

  /** The next run of a document is shown there, from its beginning. */
  reportTo(uri: string, reporter: WorkDoneProgressReporter): void {
    this.wanted.set(uri, reporter);
  }

  started(uri: string, stop: () => void): void {
    this.ended(uri);
    const running: Running = { title: `Running ${decodeURIComponent(uri.slice(uri.lastIndexOf('/') + 1))}`, reporter: null, over: false };
    this.running.set(uri, running);
    const wanted = this.wanted.get(uri);
    this.wanted.delete(uri);
    if (wanted) {
      wanted.begin(running.title, 0);
      running.reporter = wanted;
    } else if (this.create)
      this.later(
        this.guard.event('progress', () => this.show(running, stop)),
        SHOW_AFTER,
      );
  }

  progress(uri: string, fraction: number): void {
    this.running.get(uri)?.reporter?.report(Math.floor(fraction * 100));
  }

  ended(uri: string): void {
    const running = this.running.get(uri);
    this.running.delete(uri);
    if (!running) return;
    running.over = true;
    running.reporter?.done();
  }

  private async show(running: Running, stop: () => void): Promise<void> {
    if (running.over) return;
    const reporter = await this.create!();
    reporter.begin(running.title, 0, undefined, true);
    reporter.token.onCancellationRequested(stop);
    if (running.over) reporter.done();
    else running.reporter = reporter;
  }
}
