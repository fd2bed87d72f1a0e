import { html } from "../report/html.ts";
import { type PagePart, renderPage } from "../report/page/page.ts";

/** The page of a run in progress; its content arrives by events. */
export function livePage(title: string): string {
  return renderPage({
    title: `${title}, live`,
    eyebrow: title,
    headline: "The run begins",
    lead: html`<p class="lead" id="doing"></p>
<dl class="key"><div><dt>so far</dt><dd class="value" id="elapsed">0:00</dd></div>
<div><dt>left</dt><dd class="value" id="left">–</dd></div></dl>
`,
    sections: [
      {
        id: "ladder",
        heading: "Measured so far",
        short: "Charts",
        body: html`<p id="nothing">Nothing yet: a chart is here as soon as the first slice is measured.</p>
<div class="pair">
<figure><div class="chart" id="chart-ladder"></div><figcaption>IOPS by rung.</figcaption></figure>
<figure><div class="chart" id="chart-cpu"></div><figcaption>CPU time that one I/O costs.</figcaption></figure>
</div>
`,
      },
      { id: "steps", heading: "Steps", body: html`<ol id="step-list"></ol>` },
    ],
    footer: html`<p>This page ends with the run; its report stays. Charts are drawn between slices, while this page is open. The browser takes
processor time of this machine, too: what it disturbs is measured again.</p>`,
    parts: [live],
    listens: true,
  });
}

const live: PagePart = {
  style: "figure:has(>.chart:empty){display:none}#step-list{padding-left:1.2rem}",
  script: `
const at = (id) => document.getElementById(id);
let state;
const clock = (seconds) =>
  Math.floor(seconds / 60) + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");
function tick() {
  if (!state || state.ended) return;
  at("elapsed").textContent = clock(Math.max(0, Date.now() - state.began) / 1000);
  at("left").textContent = state.until ? clock(Math.max(0, state.until - Date.now()) / 1000) : "–";
}
function show() {
  const step = state.steps.at(-1);
  const { ended } = state;
  document.querySelector("h1").textContent = !ended
    ? step?.title ?? "The run begins"
    : ended.failure === undefined ? "The run is over" : "The run failed";
  at("doing").textContent = ended ? [ended.failure, ended.report && "Report: " + ended.report].filter(Boolean).join(". ") : state.doing;
  at("step-list").replaceChildren(...state.steps.map(({ title, seconds }) => {
    const item = document.createElement("li");
    item.textContent = seconds === undefined ? title : title + ", " + clock(seconds);
    return item;
  }));
  tick();
  if (!ended) return;
  source.close();
  at("left").textContent = "–";
}
const source = new EventSource("events");
source.addEventListener("state", (event) => {
  state = JSON.parse(event.data);
  show();
});
source.addEventListener("charts", (event) => {
  for (const [name, formats] of Object.entries(JSON.parse(event.data))) {
    at("chart-" + name).innerHTML = ["wide", "narrow"]
      .map((format) => formats[format].replace("<svg", '<svg class="' + format + '"'))
      .join("");
  }
  at("nothing").hidden = true;
});
source.addEventListener("error", () => {
  if (!state?.ended) at("doing").textContent = "siphon no longer answers: it has ended, or was stopped";
});
setInterval(tick, 1000);
`,
};
