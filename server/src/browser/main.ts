/** Entry of the bundle in a browser: the language server, a web worker, and, in the workers that it makes of the same script, its own. */
import { BrowserMessageReader, BrowserMessageWriter, createConnection } from 'vscode-languageserver/browser';
import { inThread } from '../worker/in-thread';
import type { WorkerAnswer } from '../worker/protocol';
import type { WorkerLike } from '../worker/worker-like';
import { startServer } from '../server';
import { soon } from './soon';
import { work } from './worker';
import type { Runtime } from '../workspace/runtime';

/** A worker's global scope posts and receives as a port does. */
const scope = globalThis as unknown as MessagePort & { readonly name: string };

/** Ends the name of a worker that is not the server. An editor may put a prefix before it. */
const WORKER_NAME = 'mmu scripts';

const runtime: Runtime = {
  // A browser has no files; the client reads them.
  readFile: () => Promise.resolve(undefined),
  readFolder: () => Promise.resolve(null),
  findFiles: () => Promise.resolve([]),
  spawnWorker(url, log) {
    try {
      if (url !== undefined) return worker(workerOf(url));
      log('the client names no worker: runs happen in the thread of the server');
    } catch (error) {
      log(`no worker can be made (${error instanceof Error ? error.message : String(error)}): runs happen in the thread of the server`);
    }
    return inThread(soon, () => performance.now());
  },
  now: () => performance.now(),
  later(call, milliseconds) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** A worker's script of another origin is loaded by one of this origin. */
function workerOf(url: string): Worker {
  try {
    return new Worker(url, { name: WORKER_NAME });
  } catch {
    const loader = URL.createObjectURL(new Blob([`importScripts(${JSON.stringify(url)});`], { type: 'text/javascript' }));
    return new Worker(loader, { name: WORKER_NAME });
  }
}

function worker(thread: Worker): WorkerLike {
  return {
    post: (request) => thread.postMessage(request),
    onAnswer: (listener) => thread.addEventListener('message', ({ data }: MessageEvent<WorkerAnswer>) => listener(data)),
    onEnd: (listener) => thread.addEventListener('error', ({ message }) => listener(message || 'its script failed')),
    end: () => thread.terminate(),
  };
}

if (scope.name.endsWith(WORKER_NAME)) work();
else startServer(createConnection(new BrowserMessageReader(scope), new BrowserMessageWriter(scope)), runtime);
