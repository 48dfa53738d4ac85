/** The page in a browser, with a host that makes rows up or one that runs a scenario: built, served and opened. */
import { build } from 'esbuild';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../scripts/vscode-host/browser.mjs';
import { THEMES } from './themes';

const ROOT = join(import.meta.dirname, '..', '..');

export class PanelSite {
  private readonly server: Server;
  /** Text that the live host runs. */
  private scenario = '';

  private constructor(
    private readonly browser: Browser,
    files: ReadonlyMap<string, Uint8Array>,
  ) {
    this.server = createServer(({ url = '/' }, response) => {
      const { pathname } = new URL(url, 'http://localhost');
      const found = files.get(pathname.slice(1));
      // As strict as in VS Code: nothing inline, nothing from elsewhere.
      response.setHeader('Content-Security-Policy', "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'");
      if (pathname === '/' || pathname === '/live')
        response.setHeader('Content-Type', 'text/html').end(page(pathname === '/' ? 'host' : 'live'));
      else if (pathname === '/scenario.mmu') response.end(this.scenario);
      else if (found) response.setHeader('Content-Type', pathname.endsWith('.css') ? 'text/css' : 'text/javascript').end(found);
      else response.writeHead(404).end();
    });
  }

  static async open(): Promise<PanelSite> {
    const site = new PanelSite((await launchBrowser()) as Browser, await bundle());
    await new Promise<void>((resolve) => site.server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  private get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** @param steps of the longest run, which are made up */
  page(steps: number, look: Look = {}): Promise<Page> {
    return this.show(`/?steps=${steps}`, look);
  }

  /** The panel of a scenario that is run. */
  live(scenario: string, look: Look = {}): Promise<Page> {
    this.scenario = scenario;
    return this.show('/live', look);
  }

  private async show(path: string, { theme = 'dark', width = 900, height = 860 }: Look): Promise<Page> {
    const page = await this.browser.newPage({ viewport: { width, height } });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => {
      throw error;
    });
    await page.addInitScript((variables) => {
      document.addEventListener('DOMContentLoaded', () => {
        for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(`--vscode-${name}`, value);
      });
    }, THEMES[theme]);
    await page.goto(`${this.origin}${path}`);
    await page.locator('.row:not(.loading)').first().waitFor();
    return page;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

interface Look {
  readonly theme?: keyof typeof THEMES;
  readonly width?: number;
  readonly height?: number;
}

/** @param host script that stands in for the editor */
function page(host: 'host' | 'live'): string {
  return `<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8" /><title>Trace</title><link rel="stylesheet" href="panel.css" /></head>
  <body data-scenario="file:///first-touch.mmu"><script src="${host}.js"></script><script src="panel.js"></script></body>
</html>`;
}

async function bundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: {
      panel: join(ROOT, 'client/webview/main.ts'),
      host: join(ROOT, 'test/webview/fake-host.ts'),
      live: join(ROOT, 'test/webview/live-host.ts'),
    },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
    outdir: ROOT,
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(ROOT.length + 1), contents]));
}
