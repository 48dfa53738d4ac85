/** What the package carries to be opened: templates and samples. The build lists them, as a browser cannot list folders. */
import * as vscode from 'vscode';

export interface Entry {
  /** From the package's root, with slashes. */
  readonly path: string;
  /** What it is about, in a line. */
  readonly title: string;
}

export interface Contents {
  readonly templates: readonly Entry[];
  readonly samples: readonly Entry[];
  /** What goes with the samples: what their folders say of them, traces. */
  readonly others: readonly string[];
}

/** Reads what the package carries. */
export class Carried {
  constructor(private readonly extension: vscode.Uri) {}

  async contents(): Promise<Contents> {
    return JSON.parse(await this.text('dist/contents.json')) as Contents;
  }

  async text(path: string): Promise<string> {
    return new TextDecoder().decode(await this.bytes(path));
  }

  bytes(path: string): Thenable<Uint8Array> {
    return vscode.workspace.fs.readFile(this.uri(path));
  }

  uri(path: string): vscode.Uri {
    return vscode.Uri.joinPath(this.extension, ...path.split('/'));
  }
}
