import type { MeasuredRung, Results, RungResult } from "../../results/schema.ts";
import { costsInWords, verdictInWords } from "../findings.ts";
import { count, cpuTime, latency, verdictSigns } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Section } from "../page/page.ts";
import { copyable } from "../page/parts.ts";

/** Every rung: its purpose, its effect, and the command line to copy. */
export function rungsSection({ rungs }: Results): Section {
  return {
    id: "rungs",
    heading: "Rung by rung",
    short: "Rungs",
    body: html`${rungs.map(
      (rung, index) => html`<article class="rung" id="rung-${rung.name}">
<header><h3>${rung.title}</h3>${rung.status === "measured" && figures(rung)}</header>
<p>${rung.why}</p>
${rung.status === "measured" ? measured(rung, rungs, index) : notMeasured(rung)}</article>
`,
    )}`,
  };
}

function figures({ summary }: MeasuredRung): Html {
  return html`<span class="figures"><b>${count(summary.iops.median)}</b> IOPS · p99 ${latency(
    summary.latencyP99.median,
  )} · ${cpuTime(summary.clientCpuPerIo.median)} CPU per I/O</span>`;
}

function measured(rung: MeasuredRung, rungs: readonly RungResult[], index: number): Html {
  const words = [verdictInWords(rung, rungs), costsInWords(rung)].filter(Boolean).join("; ");
  const verdict = rung.comparison?.verdict;
  const outliers = rung.runs.filter(({ outlier }) => outlier);
  return html`${
    words &&
    verdict &&
    html`<p class="verdict ${verdict.split(" ")[0]!}"><span class="sign" aria-hidden="true">${verdictSigns[verdict]}</span> ${capital(words)}.</p>`
  }${rung.note && html`<p class="muted">${capital(rung.note)}.</p>`}${
    outliers.length > 0 &&
    html`<p class="muted">Outliers, counted like all others: ${outliers
      .map(({ repeat, iops }) => `${count(iops)} IOPS in repeat ${repeat + 1}`)
      .join(", ")}.</p>`
  }${rung.profile && html`<p><a href="${rung.profile}">Profile of QEMU</a></p>`}
${copyable(`command-${index}`, "Command line", rung.command)}${copyable(`conf-${index}`, "Client configuration", rung.clientConf)}`;
}

function notMeasured(rung: Exclude<RungResult, { status: "measured" }>): Html {
  return html`<p class="verdict"><span class="sign" aria-hidden="true">–</span> ${capital(rung.status)}: ${rung.reason.replace(/\.$/, "")}.</p>
`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
