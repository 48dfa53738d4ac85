/** What the routes of the server share. */
import type { Connection, TextDocuments } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Guard } from './guard';
import type { Carried } from '../workspace/carried';
import type { Edits } from '../workspace/edits';
import type { Files } from '../workspace/files';
import type { Folders } from '../workspace/folders';
import type { Inquiries } from './inquiries';
import type { Runs } from '../workspace/runs';
import type { Runtime } from '../workspace/runtime';
import type { Scripts } from '../workspace/scripts';
import type { Settings } from '../workspace/user-settings';

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
  /** It takes the places of a signature's parameters; otherwise their texts. */
  readonly parameterOffsets: boolean;
  readonly findFiles: boolean;
  /** It carries out the commands that hovers link to. */
  readonly commandLinks: boolean;
  readonly workspaceFolders: boolean;
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
  readonly inquiries: Inquiries;
  readonly carried: Carried;
  readonly edits: Edits;
  readonly settings: Settings;
  readonly runtime: Runtime;
  /** URIs of scenarios in the workspace that are not open. */
  findFiles(): Promise<readonly string[]>;
  /** What a promise comes to within a moment; null when it takes longer. */
  soon<T>(promise: Promise<T>): Promise<T | null>;
}
