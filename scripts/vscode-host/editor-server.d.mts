import type { VsCode } from './lay.mjs';
import type { Profile } from './profile.mjs';

export declare class EditorServer {
  static start(
    vscode: VsCode,
    profile: Profile,
    options?: { port?: number; token?: string; forTests?: boolean; env?: NodeJS.ProcessEnv },
  ): Promise<EditorServer>;
  readonly host: string;
  readonly log: string;
  readonly ended: Promise<unknown>;
  url(shown?: { folder?: string; file?: string; payload?: readonly (readonly [string, string])[] }): string;
  remote(path: string): string;
  stop(): Promise<void>;
}
