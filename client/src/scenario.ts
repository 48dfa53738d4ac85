/** Which scenario a command is about. */
import * as vscode from 'vscode';

export const LANGUAGE = 'mmu';

/** The active editor when it shows a scenario, or else the only scenario that can be seen. */
export function activeScenario(): vscode.TextEditor | null {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  if (activeTextEditor?.document.languageId === LANGUAGE) return activeTextEditor;
  const seen = visibleTextEditors.filter(({ document }) => document.languageId === LANGUAGE);
  return seen.length === 1 ? seen[0] : null;
}

/**
 * The URI that a command was given (a code lens and the trace panel give text, menus a Uri), or else that of the active scenario.
 * Says so and gives null when there is none.
 */
export function scenarioUri(given: unknown): string | null {
  if (typeof given === 'string') return given;
  if (given instanceof vscode.Uri) return given.toString();
  const editor = activeScenario();
  if (editor) return editor.document.uri.toString();
  sayNone();
  return null;
}

/** Says that a command has no scenario to be about. */
export function sayNone(): void {
  void vscode.window.showInformationMessage('Open a scenario (.mmu) first.');
}

/** An editor that shows the document, opened when none does. */
export async function showScenario(uri: string, options: { column?: vscode.ViewColumn; focus: boolean }): Promise<vscode.TextEditor> {
  const seen = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri);
  const document = seen?.document ?? (await vscode.workspace.openTextDocument(vscode.Uri.parse(uri, true)));
  const viewColumn = seen?.viewColumn ?? options.column ?? vscode.ViewColumn.One;
  return vscode.window.showTextDocument(document, { viewColumn, preserveFocus: !options.focus });
}
