/** Isolation of handlers: what one throws becomes a line in the log and an empty answer. */
import { LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import type { CancellationToken } from 'vscode-languageserver';

export class Guard {
  constructor(private readonly log: (message: string) => void) {}

  /**
   * A handler of a request.
   *
   * @param empty the answer when the handler throws; a ResponseError that it throws is the answer itself
   */
  request<P, R>(name: string, empty: R, handler: (params: P, token: CancellationToken) => Promise<R> | R) {
    return async (params: P, token: CancellationToken): Promise<R | ResponseError<never>> => {
      try {
        if (token.isCancellationRequested) return cancelled();
        const answer = await handler(params, token);
        return token.isCancellationRequested ? cancelled() : answer;
      } catch (error) {
        if (error instanceof ResponseError) return error as ResponseError<never>;
        this.failed(name, error);
        return empty;
      }
    };
  }

  /** A handler of a notification, an event or a callback. */
  event<A extends unknown[]>(name: string, handler: (...args: A) => Promise<void> | void): (...args: A) => void {
    return (...args) => {
      void (async () => handler(...args))().catch((error: unknown) => this.failed(name, error));
    };
  }

  private failed(name: string, error: unknown): void {
    this.log(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

function cancelled(): ResponseError<never> {
  return new ResponseError<never>(LSPErrorCodes.RequestCancelled, 'the request was cancelled');
}
