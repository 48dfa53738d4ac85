/** What the desktop and the browser share: the server is started, then each feature is activated by itself. */
import * as vscode from 'vscode';
import type { InitializationOptions } from '../../server/src/protocol/messages';
import { Carried } from './contents';
import { activateNewScenario } from './features/new-scenario/new-scenario';
import { activateReport } from './features/report/report';
import { activateRestart } from './features/restart/restart';
import { activateRun } from './features/run/run';
import { activateSamples } from './features/samples/samples';
import { activateStart } from './features/start/start';
import { activateStatus } from './features/status/status';
import { activateTracePanel } from './features/trace-panel/trace-panel';
import { activateTranslation } from './features/translation/translation';
import { messageOf } from './messages';
import { Server } from './server';
import type { CreateClient } from './server';

/** The server that runs, for {@link deactivate}. */
let server: Server | null = null;

export async function activateWith(
  context: vscode.ExtensionContext,
  create: CreateClient,
  options: InitializationOptions = {},
): Promise<void> {
  const started = (server = new Server(create, options));
  context.subscriptions.push(started);
  const panels = activateTracePanel(context, started);
  activateRun(context, started, panels);
  activateTranslation(context, started, panels);
  activateReport(context, started);
  activateStatus(context, started);
  activateRestart(context, started);
  const carried = new Carried(context.extensionUri);
  activateNewScenario(context, carried);
  activateSamples(context, carried);
  activateStart(context, panels);
  try {
    await started.start();
  } catch (error) {
    started.output.error(`The language server did not start: ${messageOf(error)}`);
    void vscode.window.showErrorMessage(`MMU Scenarios: the language server did not start: ${messageOf(error)}`);
  }
}

export async function stop(): Promise<void> {
  await server?.stop();
  server = null;
}
