/** What the routes of the server share. */
import type { Connection, TextDocuments } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Guard } from './guard';
import type { Files } from '../workspace/files';
import type { Folders } from '../workspace/folders';
import type { Runs, ScriptRuns } from '../workspace/runs';
import type { Script, Scripts } from '../workspace/scripts';
import type { Settings } from '../workspace/settings';

/** What the client said it can do, as far as the server asks. */
export interface ClientAbilities {
  /** It asks for diagnostics; otherwise they are sent to it. */
  readonly pullsDiagnostics: boolean;
  readonly refreshesDiagnostics: boolean;
  readonly refreshesInlayHints: boolean;
  readonly refreshesCodeLenses: boolean;
  readonly configuration: boolean;
  readonly configurationRegistration: boolean;
  readonly watchedFilesRegistration: boolean;
  readonly workDoneProgress: boolean;
  readonly snippets: boolean;
  readonly findFiles: boolean;
}

export interface Core {
  readonly connection: Connection;
  readonly guard: Guard;
  readonly client: ClientAbilities;
  readonly documents: TextDocuments<TextDocument>;
  readonly files: Files;
  readonly folders: Folders;
  readonly scripts: Scripts;
  readonly runs: Runs;
  readonly settings: Settings;
  /** URIs of scenarios in the workspace that are not open. */
  findFiles(): Promise<readonly string[]>;
  /** The script with its runs, waiting for them for a moment; without them when they take longer. */
  scriptAndRuns(uri: string): Promise<{ readonly script: Script; readonly runs: ScriptRuns | null } | null>;
}
