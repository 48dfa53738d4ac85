/** Files that the server asks the client for: in a browser and in virtual workspaces only the client reaches them. */
import * as vscode from 'vscode';
import { toBase64 } from '../../server/src/protocol/base64';
import type { ClientRequests, FolderEntry } from '../../server/src/protocol/messages';

const SCENARIOS = '**/*.mmu';
const MOST_SCENARIOS = 5000;

export async function readFile({ uri, most }: ClientRequests['mmu/readFile']['params']): Promise<ClientRequests['mmu/readFile']['result']> {
  try {
    const file = vscode.Uri.parse(uri, true);
    const { type, size } = await vscode.workspace.fs.stat(file);
    if ((type & vscode.FileType.Directory) !== 0) return { notOpened: 'is a directory' };
    // A link among others: where it leads cannot be seen in a virtual file system.
    if (type !== vscode.FileType.File) return { notOpened: 'is no regular file' };
    if (size > most) return { notOpened: `is larger than ${most >>> 20}M` };
    return { base64: toBase64(await vscode.workspace.fs.readFile(file)) };
  } catch {
    return null;
  }
}

export async function readFolder(uri: string): Promise<FolderEntry[] | null> {
  try {
    const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.parse(uri, true));
    return entries.map(([name, type]) => ({ name, folder: (type & vscode.FileType.Directory) !== 0 }));
  } catch {
    return null;
  }
}

export async function findScenarios(): Promise<string[]> {
  const found = await vscode.workspace.findFiles(SCENARIOS, undefined, MOST_SCENARIOS);
  return found.map((uri) => uri.toString());
}
