/** The server's runtime in Node: files of this machine, worker threads, timers. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { inThread } from '../worker/in-thread';
import type { WorkerLike } from '../worker/worker-like';
import type { Runtime } from '../workspace/runtime';
import { readRegular } from './regular-file';

/** Scenarios and folders looked at in a workspace, at most. */
const MOST_FILES = 2000;
const MOST_FOLDERS = 5000;

/** Megabytes of JavaScript objects that a worker may hold before it is ended; journals come on top. */
const WORKER_HEAP = 2048;

export const nodeRuntime: Runtime = {
  async readFile(uri, most, folders) {
    if (!uri.startsWith('file:')) return undefined;
    const within = folders.filter((folder) => folder.startsWith('file:')).map((folder) => fileURLToPath(folder));
    return readRegular(fileURLToPath(uri), { most, folders: within });
  },

  async readFolder(uri) {
    if (!uri.startsWith('file:')) return null;
    const entries = await readdir(fileURLToPath(uri), { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, folder: entry.isDirectory() }));
  },

  async findFiles(folders) {
    const found: string[] = [];
    const waiting = folders.filter((uri) => uri.startsWith('file:')).map((uri) => fileURLToPath(uri));
    for (let looked = 0; waiting.length > 0 && looked < MOST_FOLDERS && found.length < MOST_FILES; looked++) {
      const folder = waiting.shift()!;
      for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') waiting.push(join(folder, entry.name));
        else if (entry.isFile() && entry.name.endsWith('.mmu')) found.push(pathToFileURL(join(folder, entry.name)).href);
      }
    }
    return found;
  },

  spawnWorker(_url, log) {
    const script = workerScript();
    if (script) return worker(script);
    log('no server.js to make a worker of: runs happen in the thread of the server');
    return inThread((call) => setImmediate(call), () => performance.now()); // prettier-ignore
  },

  now: () => performance.now(),

  later(call, milliseconds) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** The bundle, in whose threads a worker runs; null where there is none. */
function workerScript(): string | null {
  const script = typeof __dirname === 'string' ? join(__dirname, 'server.js') : null;
  return script !== null && existsSync(script) ? script : null;
}

function worker(script: string): WorkerLike {
  const thread = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP } });
  // The server ends when its client says so, whatever a worker does.
  thread.unref();
  let end: (why: string) => void = () => undefined;
  thread.on('error', (error) => end(error.message));
  thread.on('exit', (code) => end(`exit code ${code}`));
  return {
    post: (request) => thread.postMessage(request),
    onAnswer: (listener) => void thread.on('message', listener),
    onEnd: (listener) => {
      end = listener;
    },
    end: () => void thread.terminate(),
  };
}
