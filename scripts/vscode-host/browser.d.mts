import type { Browser } from 'playwright-core';

export declare class NoBrowser extends Error {}
/** @throws {NoBrowser} */
export declare function launchBrowser(): Promise<Browser>;
