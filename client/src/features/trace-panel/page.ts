/** The trace panel's page: nothing but its own script and style may load in it. */
import { Uri } from 'vscode';
import type { Webview } from 'vscode';

/** Where the page's bundle lies in the extension. */
export function pageRoot(extension: Uri): Uri {
  return Uri.joinPath(extension, 'dist', 'webview');
}

/** @param scenario URI of the scenario, which the page keeps to be restored by */
export function page(webview: Webview, extension: Uri, scenario: string): string {
  const source = (name: string) => webview.asWebviewUri(Uri.joinPath(pageRoot(extension), name)).toString();
  const nonce = crypto.randomUUID();
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="stylesheet" href="${source('panel.css')}" />
    <title>MMU Trace</title>
  </head>
  <body data-scenario="${escaped(scenario)}">
    <script nonce="${nonce}" src="${source('panel.js')}"></script>
  </body>
</html>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
