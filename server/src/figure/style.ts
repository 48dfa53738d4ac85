/**
 * The colours of a figure. All come from variables: `--ink`, `--quiet`, `--paper`, `--blue`, `--green`, `--orange`,
 * `--purple`, `--red`, and the fonts `--sans` and `--mono`. The trace panel has them from the editor's theme, a file from here.
 */

export function figureStyle(): string {
  return FIGURE;
}

/** The variables of a file, light and dark. */
export function fileStyle(): string {
  const say = (variables: Variables): string =>
    `.figure{${Object.entries(variables).map(([name, value]) => `--${name}:${value}`).join(';')}}`; // prettier-ignore
  return `${say({ ...FONTS, ...LIGHT })}@media (prefers-color-scheme:dark){${say(DARK)}}`;
}

type Variables = { readonly [name: string]: string };

const FONTS: Variables = {
  sans: 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif',
  mono: 'ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
};

const LIGHT: Variables = {
  ink: '#1f2328',
  quiet: '#59636e',
  paper: '#ffffff',
  blue: '#0969da',
  green: '#1a7f37',
  orange: '#9a5b00',
  purple: '#8250df',
  red: '#cf222e',
};

const DARK: Variables = {
  ink: '#e6edf3',
  quiet: '#9aa4af',
  paper: '#0d1117',
  blue: '#58a6ff',
  green: '#56d364',
  orange: '#e3a03c',
  purple: '#bc8cff',
  red: '#ff7b72',
};

const FIGURE = `
.figure{font-family:var(--sans);fill:var(--ink)}
.figure text{fill:var(--ink)}
.figure .paper{fill:var(--paper)}
.figure .mono{font-family:var(--mono)}
.figure .bold{font-weight:700}
.figure :is(.about,.link,.why.quiet){fill:var(--quiet)}
.figure .stale{fill:var(--red)}
.figure .thread{fill:none;stroke:var(--quiet);stroke-width:1}
.figure .thread.head{fill:var(--quiet);stroke:none}
.figure .unreached .thread{stroke-opacity:.5;stroke-dasharray:2 2}
.figure .unreached .thread.head{fill-opacity:.5}
.figure .title .used{fill:var(--blue);font-weight:700}
.figure .verdict{--verdict:var(--green)}
.figure .verdict:is(.fault,.error){--verdict:var(--red)}
.figure .verdict.exit{--verdict:var(--orange)}
.figure .verdict.mmio{--verdict:var(--purple)}
.figure .verdict .ground{fill:var(--verdict);fill-opacity:.1;stroke:var(--verdict)}
.figure .verdict.first .ground{fill:none;stroke:none}
.figure .verdict .what{fill:var(--verdict)}
.figure .stop{--space:var(--blue)}
.figure .stop:is(.gpa,.ngpa){--space:var(--orange)}
.figure .stop.hva{--space:var(--purple)}
.figure .stop.hpa{--space:var(--green)}
.figure .stop .ground{fill:var(--space);fill-opacity:.07;stroke:var(--space)}
.figure .stop .space{fill:var(--space)}
.figure .stop.unreached{--space:var(--quiet)}
.figure .stop.unreached .ground{fill:none;stroke:var(--quiet);stroke-opacity:.6;stroke-dasharray:3 2}
.figure .stop.unreached .address{fill:var(--quiet)}
.figure .scale{--space:var(--orange)}
.figure .scale.hva{--space:var(--purple)}
.figure .scale.hpa{--space:var(--green)}
.figure .scale .space{fill:var(--space)}
.figure .range{fill:none;stroke:var(--quiet);stroke-opacity:.5}
.figure .area{fill:var(--quiet);fill-opacity:.2}
.figure .area.holds{fill:var(--space);fill-opacity:.35}
.figure .between .thread{stroke-opacity:.5}
.figure .mark{stroke:var(--space);stroke-width:2}
.figure .entry{--cell:var(--blue)}
.figure .entry:is(.ept,.npt){--cell:var(--orange)}
.figure .entry.shadow{--cell:var(--purple)}
.figure .entry .ground{fill:none;stroke:var(--quiet);stroke-opacity:.6}
.figure .entry.read .ground{fill:var(--cell);fill-opacity:.17;stroke:var(--cell);stroke-opacity:1}
.figure .entry.cached .ground{fill:var(--quiet);fill-opacity:.1}
.figure .entry.cached text:not(.denies){fill:var(--quiet)}
.figure .entry.unreached .ground{stroke-dasharray:3 2}
.figure .entry.unreached text:not(.denies){fill:var(--quiet)}
.figure .entry.idle text,.figure .stop.resting .label{fill:var(--quiet)}
.figure .entry.unreached .label{font-weight:400}
.figure .disc{fill:var(--cell)}
.figure .number{fill:var(--paper)}
.figure .spared{fill:none;stroke:var(--quiet)}
.figure .bit{fill:var(--quiet)}
.figure .decides{--decides:var(--red)}
.figure .decides.exit{--decides:var(--orange)}
.figure .decides.mmio{--decides:var(--purple)}
.figure .entry.decides .ground{fill:var(--decides);fill-opacity:.2;stroke:var(--decides);stroke-opacity:1;stroke-width:1.6;stroke-dasharray:none}
.figure .bit.denies{fill:var(--red)}
.figure .strike{fill:none;stroke:var(--red);stroke-width:1.4}
.figure .change{fill:var(--green)}
.figure .entry.changed .value{text-decoration:underline}
.figure .entry.current .ground{stroke-width:2}
`;
