import type { VsCode } from './lay.mjs';

export type Settings = { readonly [name: string]: unknown };

export declare class Profile {
  static temporary(settings?: Settings): Profile;
  static kept(root: string, settings?: Settings): Profile;
  readonly root: string;
  remove(): void;
}

export declare function installExtension(vscode: VsCode, profile: Profile, vsix: string): Promise<void>;
