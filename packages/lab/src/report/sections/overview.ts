import { quietOf } from "../../results/quiet.ts";
import type { Results } from "../../results/schema.ts";
import { type Findings, qualification, unquoted } from "../findings.ts";
import { count, cpuTime, interval, latency, times } from "../format.ts";
import { type Html, html } from "../html.ts";
import { type KeyFigure, keyFigures, note } from "../page/parts.ts";
import { noiseWarning } from "../quiet-words.ts";

/** Text under the headline: its intervals, the figures to remember, and warnings. */
export function overview(found: Findings): Html {
  const { results } = found;
  const limits = qualification(found);
  const known = warnings(results);
  return html`${[
    limits && html`<p class="lead">${limits}</p>\n`,
    keyFigures(keyFiguresOf(found)),
    known.length > 0 && note(...known),
    results.accelerator.name === "tcg" && note(...emulated(results.accelerator.reason)),
  ]}`;
}

/** The run's warnings about its figures, or that it was cut short. */
export function warnings(results: Results): string[] {
  const { complete, notes } = results;
  const quiet = quietOf(results);
  const noise = quiet && noiseWarning(quiet);
  const all = noise === undefined ? notes : [...notes, noise];
  if (complete || notes.length > 0) return all;
  return ["This run was cut short; the report shows the measurements until then.", ...all];
}

function keyFiguresOf({ best, base, here, studyBest }: Findings): KeyFigure[] {
  if (!best || !base) return [];
  const ratio = here.get(best.name);
  const against = (figure: string) => (best === base ? undefined : `${figure} at ${unquoted(base)}`);
  return [
    {
      label: "IOPS, best rung",
      value: count(best.summary.iops.median),
      beside: `95 %: ${interval(best.summary.iops)}`,
    },
    ...(ratio
      ? [
          {
            label: `over ${unquoted(base)}`,
            value: times(ratio.median),
            beside: studyBest ? `the study’s best: ${times(studyBest)}` : undefined,
          },
        ]
      : []),
    {
      label: "p99 latency",
      value: latency(best.summary.latencyP99.median),
      beside: against(latency(base.summary.latencyP99.median)),
    },
    {
      label: "VM CPU per I/O",
      value: cpuTime(best.summary.clientCpuPerIo.median),
      beside: against(cpuTime(base.summary.clientCpuPerIo.median)),
    },
  ];
}

/** Why figures of an emulated guest are not absolute. */
export function emulated(reason: string): string[] {
  return [
    `The guest ran under TCG, QEMU’s emulator, because KVM could not be used: ${reason}.`,
    "Emulating the guest takes CPU time that a real VM does not need. These figures rank the rungs; they are no absolutes, and fast rungs lie closer together than they would under KVM.",
  ];
}
