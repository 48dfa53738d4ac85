/** The report's look: of a page to read and to print, light, dark, and with high contrast as its reader prefers. */
import { figureStyle } from '../../figure/style';

const COLORS = `
:root{color-scheme:light dark;
--ink:#1f2328;--quiet:#59636e;--paper:#fff;--line:#d1d9e0;--raised:#f6f8fa;
--blue:#0969da;--green:#1a7f37;--orange:#9a5b00;--purple:#8250df;--red:#cf222e;
--sans:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;--mono:ui-monospace,"Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9aa4af;--paper:#0d1117;--line:#30363d;--raised:#161b22;
--blue:#58a6ff;--green:#56d364;--orange:#e3a03c;--purple:#bc8cff;--red:#ff7b72}}
@media (prefers-contrast:more){:root{--ink:#000;--quiet:#24292f;--paper:#fff;--line:#000;--raised:#fff;
--blue:#0349b4;--green:#055d20;--orange:#702c00;--purple:#512598;--red:#86061d}}
@media (prefers-contrast:more) and (prefers-color-scheme:dark){:root{--ink:#fff;--quiet:#f0f3f6;--paper:#000;--line:#fff;--raised:#000;
--blue:#91cbff;--green:#72f088;--orange:#f7c843;--purple:#dbb7ff;--red:#ffb1af}}
@media print{:root{color-scheme:light;--ink:#000;--quiet:#444;--paper:#fff;--line:#999;--raised:#fff;
--blue:#0349b4;--green:#055d20;--orange:#702c00;--purple:#512598;--red:#a40e26}}
`;

const PAGE = `
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.45 var(--sans)}
main{max-width:1080px;margin:0 auto;padding:20px 24px 48px}
h1{margin:0;font-size:22px}h2{margin:32px 0 10px;padding-bottom:4px;border-bottom:1px solid var(--line);font-size:17px}
h3{margin:0;font-size:14px;font-weight:600}
code{font-family:var(--mono);font-size:12.5px}
a{color:var(--blue)}
ul{margin:6px 0;padding:0;list-style:none}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:1px 12px 1px 0;text-align:left;vertical-align:baseline;font-weight:normal}
caption{padding-bottom:4px;text-align:left;font-weight:600}
thead th{color:var(--quiet);border-bottom:1px solid var(--line)}
.spoken{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.wide{overflow-x:auto}
.count,.number{text-align:right;white-space:nowrap}
.number,.note,.cost,.left,.of,figcaption,summary{color:var(--quiet)}
.outcome{--tone:var(--green);color:var(--tone)}
.outcome:is(.fault,.error,.failed){--tone:var(--red)}.outcome:is(.exit,.mmio){--tone:var(--orange)}
.held{color:var(--green)}.failed{color:var(--red)}
.scenario{width:100%;border-spacing:0}
.scenario td{padding:0 10px 0 0}
.scenario .number{width:1%;padding-right:14px;user-select:none}
.scenario .source code{white-space:pre-wrap;overflow-wrap:anywhere}
.scenario .stated td{background:var(--raised)}
.scenario .came{width:42%;font-family:var(--mono);font-size:12px}
.scenario .came .outcome{display:block}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:14px 28px;align-items:start;margin-bottom:20px}
.counts{width:100%}.counts th{width:1%;font-family:var(--mono);font-size:12.5px;white-space:nowrap}.counts .count{width:1%}.counts .share{width:34%}
.counts .note{padding-right:0;font-size:12px}
.bar{display:inline-block;min-width:2px;height:8px;background:var(--blue);print-color-adjust:exact;-webkit-print-color-adjust:exact}
.execution{margin:14px 0;padding:10px 0 0;border-top:1px solid var(--line)}
.execution p{margin:3px 0}
.expectations li{display:inline-block;margin-right:14px}.expectations .failed{display:block}
.execution h3 .number{margin-right:6px;font-weight:normal}
figure{margin:10px 0}figcaption{margin-bottom:3px;font-size:12px}
figure svg{max-width:none}
summary{cursor:pointer}
.steps{font-size:12.5px}.steps td:last-child{width:60%}.steps td{border-bottom:1px solid color-mix(in srgb,var(--line) 45%,transparent)}
.steps .L0{color:var(--orange)}.steps .L1{color:var(--green)}.steps .L2{color:var(--purple)}.steps .processor{color:var(--blue)}
@media (forced-colors:active){.bar{background:CanvasText}}
@media print{body{font-size:10pt}main{max-width:none;padding:0}h2{break-after:avoid}.execution{break-inside:avoid}.wide{overflow:visible}
figure svg{max-width:100%;height:auto}details:not([open]){display:none}a{color:inherit;text-decoration:none}.run{break-before:page}.scenario tr{break-inside:avoid}}
@page{margin:14mm}
`;

export const STYLE = COLORS + figureStyle() + PAGE;
