/** The page's side of the typed messages, and what it keeps over reloads. */
import type { FromPanel, StepFilter, StepFolds, ToPanel } from '../../server/src/protocol/messages';
import type { StateChoices } from './state/state-view';

/** Kept by VS Code when the page is thrown away: while it is hidden, and over reloads of the window. */
export interface PanelState {
  /** URI of the scenario; the client finds the panel's scenario by it after a reload. */
  readonly scenario: string;
  /** Chosen run, by name. */
  readonly run: string | null;
  readonly step: number | null;
  readonly filter: StepFilter;
  readonly folds: StepFolds;
  /** Which way of a step's address is shown: that before it, or that after. */
  readonly when: 'before' | 'after';
  /** Which tab beside the list is chosen, by its id. */
  readonly section: string | null;
  /** What is shown of the machine's state. */
  readonly machine: StateChoices;
  /** Part of the height or width that the detail takes, 0 to 1. */
  readonly detailShare: number;
}

export interface Host {
  post(message: FromPanel): void;
  load(): Partial<PanelState>;
  save(state: PanelState): void;
  onMessage(receive: (message: ToPanel) => void): void;
}

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export function connect(): Host {
  const api = acquireVsCodeApi();
  return {
    post: (message) => api.postMessage(message),
    load: () => (api.getState() ?? {}) as Partial<PanelState>,
    save: (state) => api.setState(state),
    onMessage: (receive) => window.addEventListener('message', ({ data }: MessageEvent<ToPanel>) => receive(data)),
  };
}
