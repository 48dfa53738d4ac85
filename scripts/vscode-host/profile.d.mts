import type { VsCode } from './lay.mjs';

export type Settings = { readonly [name: string]: unknown };

export declare class Profile {
  static temporary(settings?: Settings): Profile;
  static kept(root: string, settings?: Settings): Profile;
  readonly root: string;
  /** Writes the user's settings, those given over the profile's own. */
  set(settings: Settings): void;
  remove(): void;
}

export declare function installExtension(vscode: VsCode, profile: Profile, vsix: string): Promise<void>;
