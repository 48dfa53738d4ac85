/** What the user sets for the server; the client's manifest describes the same names with the same defaults. */

export interface Settings {
  readonly run: {
    /** When runs start by themselves. */
    readonly when: 'onType' | 'onSave' | 'manual';
    /** Milliseconds between an edit and the run. */
    readonly delay: number;
    /** Milliseconds that all runs of a file may take together. */
    readonly timeLimit: number;
  };
  readonly inlayHints: { readonly enabled: boolean; readonly exits: boolean };
  readonly codeLens: { readonly enabled: boolean };
}

/** Section of workspace/configuration. */
export const SECTION = 'mmu';

export const DEFAULTS: Settings = {
  run: { when: 'onType', delay: 300, timeLimit: 10_000 },
  inlayHints: { enabled: true, exits: true },
  codeLens: { enabled: true },
};

/** Settings from what the client sent; what is missing or of no use is the default. The time limit comes in seconds. */
export function readSettings(sent: unknown): Settings {
  const run = member(sent, 'run');
  const hints = member(sent, 'inlayHints');
  const lens = member(sent, 'codeLens');
  return {
    run: {
      when: oneOf(member(run, 'when'), ['onType', 'onSave', 'manual'], DEFAULTS.run.when),
      delay: number(member(run, 'delay'), 0, 60_000, DEFAULTS.run.delay),
      timeLimit: 1000 * number(member(run, 'timeLimit'), 0.01, 3600, DEFAULTS.run.timeLimit / 1000),
    },
    inlayHints: {
      enabled: flag(member(hints, 'enabled'), DEFAULTS.inlayHints.enabled),
      exits: flag(member(hints, 'exits'), DEFAULTS.inlayHints.exits),
    },
    codeLens: { enabled: flag(member(lens, 'enabled'), DEFAULTS.codeLens.enabled) },
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as { [name: string]: unknown })[name] : undefined;
}

function flag(value: unknown, otherwise: boolean): boolean {
  return typeof value === 'boolean' ? value : otherwise;
}

function number(value: unknown, least: number, most: number, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
}

function oneOf<T extends string>(value: unknown, choices: readonly T[], otherwise: T): T {
  return choices.find((choice) => choice === value) ?? otherwise;
}
