/** VS Code's server, running on a loopback port. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnServer } from './profile.mjs';

const START_LIMIT = 60_000;
/** Milliseconds that the server may take to end by itself. */
const END_LIMIT = 5000;

export class EditorServer {
  constructor(child, port, logFile, token) {
    this.child = child;
    this.host = `127.0.0.1:${port}`;
    this.logFile = logFile;
    this.token = token;
    this.ended = new Promise((done) => child.once('exit', done));
    this.killAll = () => this.signal('SIGKILL');
    process.once('exit', this.killAll);
  }

  /**
   * @param options.port  0: any free one
   * @param options.token  asked of those who connect; none: anybody on this machine may (tests)
   * @param options.forTests  lets the page's query name an extension and tests to load
   */
  static async start(vscode, profile, { port = 0, token, forTests = false, env } = {}) {
    const access = token ? ['--connection-token', token] : ['--without-connection-token'];
    const tests = forTests ? ['--enable-smoke-test-driver'] : [];
    // In a process group of its own: extension host and language server outlive the server by some seconds and must be ended with it.
    const child = spawnServer(
      vscode,
      profile,
      ['--host', '127.0.0.1', '--port', String(port), '--disable-workspace-trust', ...access, ...tests],
      { detached: true, env },
    );
    const logFile = join(profile.root, 'server.log');
    writeFileSync(logFile, '');
    const opened = await new Promise((resolve, reject) => {
      let output = '';
      const fail = (why) => reject(new Error(`VS Code's server ${why}: ${output}`));
      const timer = setTimeout(fail, START_LIMIT, 'did not start');
      child.once('exit', (status) => fail(`ended (${status})`));
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data) => {
          appendFileSync(logFile, data);
          output += data;
          const found = /Extension host agent listening on (\d+)/.exec(output);
          if (!found) return;
          clearTimeout(timer);
          output = '';
          resolve(Number(found[1]));
        });
      }
    });
    return new EditorServer(child, opened, logFile, token);
  }

  /** Address of a page that shows a folder, and a file of it. */
  url({ folder, file, payload = [] } = {}) {
    const url = new URL(`http://${this.host}/`);
    if (this.token) url.searchParams.set('tkn', this.token);
    if (folder) url.searchParams.set('folder', folder);
    const all = file ? [...payload, ['openFile', this.remote(file)]] : payload;
    if (all.length > 0) url.searchParams.set('payload', JSON.stringify(all));
    return url.href;
  }

  /** A path on this machine, as the page names it. */
  remote(path) {
    return `vscode-remote://${this.host}${path}`;
  }

  get log() {
    return readFileSync(this.logFile, 'utf8');
  }

  async stop() {
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), END_LIMIT);
    await this.ended;
    clearTimeout(timer);
    this.signal('SIGKILL');
    process.off('exit', this.killAll);
  }

  signal(name) {
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // Gone already.
    }
  }
}
