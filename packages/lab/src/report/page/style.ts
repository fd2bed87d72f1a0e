import { darkChartRules, properties } from "../charts/palette.ts";

/** The style sheet of every report: one column of text, light or dark by the reader's system, light in print. */
export const styleSheet = `
:root{${properties("light")}--wash:#f6f8fa;--ok:#0b6b4f;color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){
:root{${properties("dark")}--wash:#1a212b;--ok:#57c9a3}
${darkChartRules(".chart ")}
}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--surface);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer,nav{max-width:52rem;margin-inline:auto;padding-inline:1.25rem}
header{padding-top:clamp(2rem,6vw,4.5rem)}
h1{font-size:clamp(1.7rem,1.1rem + 2.6vw,2.7rem);line-height:1.18;letter-spacing:-.02em;font-weight:700;margin:.4rem 0 1rem;text-wrap:balance}
h2{font-size:1.5rem;line-height:1.25;letter-spacing:-.01em;margin:4rem 0 .6rem;text-wrap:balance}
h3{font-size:1.1rem;line-height:1.35;margin:0}
:is(p,.copyable,.scroll)+h3{margin-top:1.8rem}
p{margin:.6rem 0;max-width:44rem;text-wrap:pretty}
a{color:var(--accent);text-underline-offset:.15em}
.eyebrow{color:var(--muted);font-size:.9rem;margin:0}
.lead{font-size:1.1rem;color:var(--muted)}
.muted{color:var(--muted)}
nav{margin-top:1.5rem;font-size:.92rem}
nav ul{display:flex;flex-wrap:wrap;gap:.35rem 1.25rem;list-style:none;margin:0;padding:.8rem 0;border-block:1px solid var(--grid)}
nav a{text-decoration:none;color:var(--muted)}
nav a:hover{color:var(--accent);text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:2px}
.key{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:1.4rem 1.6rem;margin:2.2rem 0 0;padding:0}
.key dt{color:var(--muted);font-size:.9rem}
.key dd{margin:0}
.key .value{font-size:1.9rem;line-height:1.25;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.key .beside{color:var(--muted);font-size:.9rem}
.note{border-left:3px solid var(--study);background:var(--wash);padding:.7rem 1rem;margin:1.5rem 0;border-radius:0 4px 4px 0}
.note p{margin:.2rem 0}
figure{margin:1.6rem 0 1rem}
figcaption{color:var(--muted);font-size:.9rem;max-width:44rem;margin-top:.5rem}
.chart svg{display:block;width:100%;height:auto;max-width:800px}
.chart svg.narrow{display:none;max-width:460px}
@media screen and (min-width:1200px){
.pair{display:grid;grid-template-columns:1fr 1fr;gap:0 3rem;width:68rem;margin-left:calc((100% - 68rem)/2)}
.pair .chart svg.wide{display:none}.pair .chart svg.narrow{display:block;max-width:none}
}
.scroll{overflow-x:auto;margin:1.4rem 0}
table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);font-size:.9rem;padding-bottom:.4rem}
th,td{padding:.42rem .38rem;text-align:right;border-bottom:1px solid var(--grid);vertical-align:baseline;white-space:nowrap}
th:first-child,.text{text-align:left}
th:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}
td.text{white-space:normal;min-width:12rem}
thead th{color:var(--muted);font-weight:500;border-bottom-color:var(--muted)}
tbody th{font-weight:500;white-space:normal;min-width:7.5rem}
tr.best th,tr.best td{font-weight:650}
.study{color:var(--study)}
.rung{border-top:1px solid var(--grid);padding:1.5rem 0 1.2rem}
.rung>header{all:unset;display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline;justify-content:space-between}
.rung .figures{font-variant-numeric:tabular-nums;color:var(--muted);font-size:.92rem}
.rung .figures b{color:var(--ink);font-weight:650}
.verdict{font-weight:500}
.verdict .sign{display:inline-block;min-width:1.2em}
.faster .sign{color:var(--ok)}.slower .sign{color:var(--study)}
pre{margin:0;background:var(--wash);border:1px solid var(--grid);border-radius:6px;padding:.8rem 1rem;font:.82rem/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
main ul{padding-left:1.2rem;max-width:44rem}main li{margin:.25rem 0}
.copyable{position:relative;margin:.5rem 0 0;padding-right:5rem}
.copyable details[open]{margin-right:-5rem}
.copyable button{position:absolute;top:0;right:0;font:500 .82rem/1 system-ui,sans-serif;color:var(--ink);background:var(--surface);border:1px solid var(--muted);border-radius:5px;padding:.4rem .7rem;cursor:pointer}
.copyable button:hover{border-color:var(--accent);color:var(--accent)}
summary{cursor:pointer;color:var(--muted);font-size:.92rem;line-height:1.8}
details pre{margin:.45rem 0 .9rem}
.facts{columns:18rem;column-gap:2.5rem;margin:1.4rem 0}
.facts section{break-inside:avoid;margin-bottom:1.6rem}
.facts h3{margin-bottom:.4rem}
.facts dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0;font-size:.92rem}
.facts dt{color:var(--muted)}
.facts dd{margin:0;text-align:right;overflow-wrap:anywhere}
footer{color:var(--muted);font-size:.9rem;padding-block:3.5rem 4rem}
@media (max-width:560px){
.chart svg.wide{display:none}.chart svg.narrow{display:block}
h2{margin-top:3rem}
.extra{display:none}
table{font-size:.74rem}th,td{padding-inline:.16rem}td.text{min-width:8rem}
th:first-child{position:sticky;left:0;background:var(--surface);min-width:5rem;overflow-wrap:anywhere}
}
@media print{
@page{margin:16mm 15mm}
html{font-size:13px}main,header,footer{max-width:none;padding-inline:0}
nav,button{display:none!important}
header{padding-top:0}h1{font-size:20pt}h2{font-size:14pt;margin-top:9mm;break-after:avoid}
.chart svg.wide{display:block;max-width:92%}.chart svg.narrow{display:none}
.chart,pre,tr,.facts section{break-inside:avoid}
p{orphans:3;widows:3}.rung>header,.rung p,summary{break-after:avoid}.rung{padding:1rem 0 .6rem}pre{font-size:.74rem}
.scroll{overflow:visible}table{font-size:.82rem}
.copyable,.copyable details[open]{padding-right:0;margin-right:0}
a{color:inherit;text-decoration:none}
}
`;
