/** Runs a test module, one that exports run() and prints behind the marks of marks.mjs, inside the extension host of a real VS Code whose workbench a browser shows. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { format } from 'node:util';
import { ROOT } from '../steps.mjs';
import { launchBrowser } from './browser.mjs';
import { EditorServer } from './editor-server.mjs';
import { COUNTS, SAID } from './marks.mjs';
import { Profile } from './profile.mjs';

/**
 * @param {object} options
 * @param options.vscode  from layVscode()
 * @param options.extension  folder of the extension, built
 * @param options.tests  the test module, inside that folder
 * @param options.folder  the workspace; a copy of it is opened
 * @param options.web  in the web worker's extension host (manifest's `browser`) instead of Node's (`main`)
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runExtensionTests({ vscode, extension, tests, folder, web = false, limit = 180_000 }) {
  const profile = Profile.temporary({ 'git.enabled': false });
  const workspace = join(profile.root, 'workspace');
  cpSync(folder, workspace, { recursive: true });
  const served = mkdtempSync(join(vscode.directory, 'under-test-'));
  let server, browser, timer;
  try {
    server = await EditorServer.start(vscode, profile, { forTests: true });
    browser = await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const told = listen(page);
    if (web) await loadIntoWorker(page, server, served, extension, tests);
    const payload = web
      ? []
      : [
          ['extensionDevelopmentPath', server.remote(extension)],
          ['extensionTestsPath', server.remote(tests)],
        ];
    await page.goto(server.url({ folder: workspace, payload }));
    const late = new Promise((resolve) => (timer = setTimeout(resolve, limit, 'no answer in time')));
    const status = await Promise.race([told.exit, told.crash, late]);
    if (told.counts) return told.counts;
    console.error(`the tests ended (${status}) without counts; the host's last words:\n${told.all.slice(-10).map(firstLines).join('\n')}`);
    await page.screenshot({ path: join(ROOT, 'out', 'vscode-host.png') }).catch(() => {});
    console.error(`all of it is in ${saveLog([...told.all, ...told.page, server.log])}`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    clearTimeout(timer);
    await browser?.close();
    await server?.stop();
    rmSync(served, { recursive: true, force: true });
    profile.remove();
  }
}

function saveLog(lines) {
  const file = join(ROOT, 'out', 'vscode-host.log');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, lines.join('\n'));
  return file;
}

function firstLines(text) {
  return text.split('\n').slice(0, 6).join('\n');
}

/** The workbench calls these two functions of its page, where there are such, with the host's output and the tests' end. */
function listen(page) {
  const told = { all: [], page: [], counts: null };
  told.exit = new Promise((resolve) => page.exposeFunction('codeAutomationExit', resolve));
  page.on('console', (message) => told.page.push(`${message.type()}: ${message.text()}`));
  told.crash = new Promise((resolve) => page.on('crash', () => resolve('the page crashed')));
  void page.exposeFunction('codeAutomationLog', (type, args) => {
    const text = format(...args);
    told.all.push(text);
    const at = text.indexOf(COUNTS);
    if (at >= 0) {
      const { passes, failures, pending } = JSON.parse(text.slice(at + COUNTS.length));
      told.counts = { passed: passes, failed: failures, skipped: pending };
    } else if (text.includes(SAID)) console.log(text.replaceAll(SAID, ''));
  });
  return told;
}

/**
 * What lies on the server runs in Node's extension host. For the worker's, the files must come over HTTP from the page's own origin: they
 * are linked beneath the server's static files, and the page is told of them in its configuration before the workbench reads it.
 */
async function loadIntoWorker(page, server, served, extension, tests) {
  symlinkSync(extension, join(served, 'extension'));
  const html = (await (await fetch(server.url())).text()).replaceAll('&quot;', '"');
  const found = /"callbackRoute":"\/?([^"/]+)\/callback"/.exec(html);
  if (!found) throw new Error("the workbench's page has no known base");
  const at = (path) => {
    const inside = relative(extension, path);
    const base = ['', found[1], 'static', served.split('/').at(-1), 'extension'].join('/');
    return { scheme: 'http', authority: server.host, path: inside ? `${base}/${inside}` : base };
  };
  await page.addInitScript(
    (options) => {
      if (window !== window.top) return;
      const observer = new window.MutationObserver(() => {
        const element = document.getElementById('vscode-workbench-web-configuration');
        if (!element) return;
        observer.disconnect();
        const configuration = JSON.parse(element.getAttribute('data-settings'));
        configuration.developmentOptions = { ...configuration.developmentOptions, ...options };
        element.setAttribute('data-settings', JSON.stringify(configuration));
      });
      observer.observe(document, { childList: true, subtree: true });
    },
    { extensions: [at(extension)], extensionTestsPath: at(tests) },
  );
}
