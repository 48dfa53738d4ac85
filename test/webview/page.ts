/** The page in a browser, with the fake host: built, served and opened. */
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
  private constructor(
    private readonly server: Server,
    private readonly browser: Browser,
    private readonly origin: string,
  ) {}

  static async open(): Promise<PanelSite> {
    const browser = (await launchBrowser()) as Browser;
    const files = await bundle();
    const server = createServer(({ url = '/' }, response) => {
      const { pathname } = new URL(url, 'http://localhost');
      const found = files.get(pathname.slice(1));
      // As strict as in VS Code: nothing inline, nothing from elsewhere.
      response.setHeader('Content-Security-Policy', "default-src 'none'; script-src 'self'; style-src 'self'");
      if (pathname === '/') response.setHeader('Content-Type', 'text/html').end(PAGE);
      else if (found) response.setHeader('Content-Type', pathname.endsWith('.css') ? 'text/css' : 'text/javascript').end(found);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PanelSite(server, browser, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  /** @param steps of the longest run */
  async page(
    steps: number,
    { theme = 'dark', width = 900, height = 860 }: { theme?: keyof typeof THEMES; width?: number; height?: number } = {},
  ): Promise<Page> {
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
    await page.goto(`${this.origin}/?steps=${steps}`);
    await page.locator('.row:not(.loading)').first().waitFor();
    return page;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const PAGE = `<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8" /><title>Trace</title><link rel="stylesheet" href="panel.css" /></head>
  <body data-scenario="file:///first-touch.mmu"><script src="host.js"></script><script src="panel.js"></script></body>
</html>`;

async function bundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { panel: join(ROOT, 'client/webview/main.ts'), host: join(ROOT, 'test/webview/fake-host.ts') },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
    outdir: ROOT,
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(ROOT.length + 1), contents]));
}
