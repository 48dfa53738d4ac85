/** The language status item of a scenario: what its runs came to, that they are running, or that the server is not. */
import * as vscode from 'vscode';
import { plural } from '../../messages';
import { activeScenario, LANGUAGE } from '../../scenario';
import type { RunState, Server } from '../../server';

export function activateStatus(context: vscode.ExtensionContext, server: Server): void {
  const item = vscode.languages.createLanguageStatusItem('mmu.runs', { language: LANGUAGE });
  item.name = 'MMU Scenario Runs';
  const openOutput = 'mmu.openOutput';
  const show = (running = server.isRunning) => {
    const uri = activeScenario()?.document.uri.toString();
    const state = uri === undefined ? null : server.stateOf(uri);
    item.busy = running && state?.state === 'running';
    item.severity = vscode.LanguageStatusSeverity.Information;
    if (!running) {
      item.text = 'Language server not running';
      item.detail = undefined;
      item.severity = vscode.LanguageStatusSeverity.Error;
      item.command = { command: 'mmu.restartServer', title: 'Restart' };
    } else if (!state || state.state === 'running') {
      item.text = state ? 'Running' : 'Not run';
      item.detail = undefined;
      item.command = state ? undefined : { command: 'mmu.run', title: 'Run' };
    } else if (state.state === 'failed') {
      item.text = 'Run failed';
      item.detail = state.message;
      item.severity = vscode.LanguageStatusSeverity.Error;
      item.command = { command: openOutput, title: 'Show Output' };
    } else {
      const said = summary(state);
      item.text = said.text;
      item.detail = said.detail;
      item.severity = said.severity;
      item.command = { command: 'mmu.showTrace', title: 'Show Trace' };
    }
  };
  show(true);
  context.subscriptions.push(
    item,
    vscode.commands.registerCommand(openOutput, () => server.output.show()),
    server.onRunState(() => show()),
    server.onRunning(show),
    vscode.window.onDidChangeActiveTextEditor(() => show()),
  );
}

/** What a document's runs came to, in a few words. */
function summary({ runs, message }: RunState): { text: string; detail: string; severity: vscode.LanguageStatusSeverity } {
  const failed = runs.reduce((sum, each) => sum + each.failed, 0);
  const passed = runs.reduce((sum, each) => sum + each.passed, 0);
  const cut = runs.find(({ ended }) => ended !== 'done');
  if (runs.length === 0) return { text: 'Nothing to run', detail: message ?? '', severity: vscode.LanguageStatusSeverity.Information };
  const detail = cut ? `${cut.name}: ${cut.ended}` : runs.map(({ name }) => name).join(', ');
  const { until, older } = runs[0];
  const stops = until === null ? '' : `, stops at line ${until + 1}`;
  const text = `${plural(runs.length, 'run')}${older ? ' of an older text' : ''}: ${passed} of ${plural(passed + failed, 'expectation')} hold${stops}`;
  const severity = failed > 0 || cut ? vscode.LanguageStatusSeverity.Warning : vscode.LanguageStatusSeverity.Information;
  return { text, detail, severity };
}
