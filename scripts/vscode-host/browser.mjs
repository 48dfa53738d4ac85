/** The system's Chromium, driven without a screen. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** There is no browser here: the caller skips what needs one. */
export class NoBrowser extends Error {}

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Nothing of the browser's own may ask the network. The sandbox needs a user who is not root. */
const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launchBrowser() {
  const executablePath = [process.env.CHROMIUM, ...PLACES].find((path) => path && existsSync(path));
  if (!executablePath) throw new NoBrowser('no Chromium found (CHROMIUM names one)');
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  try {
    return await chromium.launch({ executablePath, headless: true, args: [...ARGUMENTS, ...sandbox] });
  } catch (error) {
    throw new NoBrowser(`${executablePath} does not start: ${error.message}`);
  }
}
