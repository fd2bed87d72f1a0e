/** Flame graphs in the page's colours: more orange means more samples on a CPU. */
export const flameStyle = `
.flame{margin:1.4rem 0}
.flame-controls{display:flex;flex-wrap:wrap;gap:.6rem 1.2rem;align-items:end;font-size:.9rem}
.flame-controls[hidden]{display:none}
.flame-controls label{display:grid;color:var(--muted)}
.flame-controls select,.flame-controls input,.flame-controls button{font:inherit;color:var(--ink);background:var(--surface);border:1px solid var(--muted);border-radius:5px;padding:.3rem .55rem}
.flame-controls button{cursor:pointer}
.flame-controls button[aria-pressed=true]{background:var(--accent);border-color:var(--accent);color:var(--surface)}
.flame-controls button:disabled{opacity:.5;cursor:default}
.flame-controls output{color:var(--muted);align-self:center}
.flame-details{font-size:.9rem;min-height:3.2em;max-width:none;overflow-wrap:anywhere}
.flame-graph{position:relative;min-height:1.3rem;font:.75rem/1.25rem ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.flame-graph div{position:absolute;height:1.25rem;padding:0 .25rem;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;cursor:pointer;color:var(--ink);border-right:1px solid var(--surface);border-radius:2px;--heat:color-mix(in oklab,var(--study) var(--on),var(--second));background:color-mix(in oklab,var(--heat) 42%,var(--surface));print-color-adjust:exact;-webkit-print-color-adjust:exact}
.flame-graph div:hover{background:color-mix(in oklab,var(--heat) 62%,var(--surface))}
.flame-graph div.hit{background:color-mix(in oklab,var(--accent) 55%,var(--surface))}
.flame-graph div:focus-visible{outline-offset:-2px;z-index:1}
.flame-key{color:var(--muted);font-size:.9rem}
.flame-key i{display:inline-block;width:.9em;height:.9em;border-radius:2px;vertical-align:-.08em;margin-right:.15em}
.flame-key .on{background:color-mix(in oklab,var(--study) 42%,var(--surface))}
.flame-key .off{background:color-mix(in oklab,var(--second) 42%,var(--surface))}
@media print{.flame-controls{display:none!important}}
`;
