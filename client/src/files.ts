/** Files that the server asks the client for: in a browser and in virtual workspaces only the client reaches them. */
import * as vscode from 'vscode';
import type { FolderEntry } from '../../server/src/protocol/messages';

const SCENARIOS = '**/*.mmu';
const MOST_SCENARIOS = 5000;

export async function readText(uri: string): Promise<string | null> {
  try {
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.parse(uri, true)));
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
