import { compare, fewestRepeats } from "../results/compare.ts";
import type { Comparison, Estimate, MeasuredRung, Results, RungResult } from "../results/schema.ts";
import { ladder } from "../study/figures.ts";
import { change, changeInterval, cpuTime, interval, rounded, times } from "./format.ts";

/** The findings of a ladder's results as a whole. */
export interface Findings {
  results: Results;
  measured: MeasuredRung[];
  /** The first measured rung; all factors are against it. */
  base: MeasuredRung | undefined;
  /** The rung with the most IOPS. */
  best: MeasuredRung | undefined;
  /** Rungs that do not differ significantly from the best. */
  level: MeasuredRung[];
  /** By rung: IOPS over the base's, paired by repeat. */
  here: Map<string, Estimate>;
  /** By rung: the study's IOPS over its own figure for the base. */
  study: Map<string, number>;
  /** The study's best figure relative to its base. */
  studyBest: number | undefined;
}

export function findings(results: Results): Findings {
  const measured = results.rungs.filter((rung): rung is MeasuredRung => rung.status === "measured");
  const [base] = measured;
  const best = measured.toSorted((a, b) => b.summary.iops.median - a.summary.iops.median).at(0);
  const here = new Map<string, Estimate>();
  for (const rung of measured) {
    const comparison = base && compare(base, rung);
    if (comparison) here.set(rung.name, comparison.ratio);
  }
  const studyBase = base?.study?.iops;
  const study = new Map<string, number>();
  for (const rung of results.rungs) {
    if (studyBase && rung.study) study.set(rung.name, rung.study.iops / studyBase);
  }
  return {
    results,
    measured,
    base,
    best,
    level: measured.filter((rung) => best && rung !== best && isLevel(rung, best)),
    here,
    study,
    studyBest: studyBase && Math.max(...Object.values(ladder)) / studyBase,
  };
}

/** The main finding in one sentence. */
export function headline({ base, best, here, studyBest }: Findings): string {
  if (!base || !best) return "No rung could be measured.";
  const iops = rounded(best.summary.iops.median);
  if (best === base) return `The VM reaches ${iops} IOPS at ${quoted(best)}, and no other rung is faster.`;
  const ours = here.get(best.name);
  const factor = ours ? `, ${timesInWords(ours.median)} ${baseName(base)}` : "";
  const reference = studyBest ? `; the study’s ladder rose ${timesInWords(studyBest)}` : "";
  return `The VM reaches ${iops} IOPS at ${quoted(best)}${factor}${reference}.`;
}

/** Text beside the headline: the factor's interval, the rungs that are as good, and their CPU. */
export function qualification(found: Findings): string | undefined {
  const { best, base, here, level } = found;
  if (!best || !base || best === base) return undefined;
  const ratio = here.get(best.name);
  const sentences = [];
  if (ratio && best.runs.length >= fewestRepeats)
    sentences.push(`The factor’s 95 % interval is ${interval(ratio, times)}.`);
  if (level.length > 0) {
    sentences.push(`The repeats do not tell it apart from ${listed(level.map(quoted))}.`);
  }
  const saving = cheapest(found);
  if (saving) sentences.push(saving);
  return sentences.join(" ");
}

/** The rung with the least CPU per I/O, if significant; it often is when IOPS are not. */
function cheapest({ measured, results }: Findings): string | undefined {
  const cpu = ({ summary }: MeasuredRung) => summary.clientCpuPerIo.median;
  const least = measured.toSorted((a, b) => cpu(a) - cpu(b)).at(0);
  const cost = least?.comparison?.costs?.cpuPerIo;
  if (!least || cost?.verdict !== "better") return undefined;
  const other = quoted(titled(least.comparison!, results.rungs));
  const limits = `95 % interval ${changeInterval(cost.ratio)}`;
  return `${quoted(least)} spends the least CPU per I/O, ${cpuTime(cpu(least))}: ${change(cost.ratio.median)} against ${other} (${limits}).`;
}

/** Changes of a rung's costs, in words: "CPU per I/O −24 % (−30 to −18 %), p99 no significant difference". */
export function costsInWords({ comparison }: MeasuredRung): string | undefined {
  if (!comparison?.costs) return undefined;
  const { cpuPerIo, latencyP50, latencyP99, latencyP999 } = comparison.costs;
  const named = {
    "CPU per I/O": cpuPerIo,
    "median latency": latencyP50,
    p99: latencyP99,
    "p99.9": latencyP999,
  };
  const sure = Object.entries(named).filter(
    ([, cost]) => cost?.verdict === "better" || cost?.verdict === "worse",
  );
  const unsure = Object.entries(named).filter(([, cost]) => cost?.verdict === "no significant difference");
  const words = sure.map(
    ([name, cost]) => `${name} ${change(cost!.ratio.median)} (${changeInterval(cost!.ratio)})`,
  );
  if (unsure.length > 0) words.push(`no significant difference in ${listed(unsure.map(([name]) => name))}`);
  return words.length > 0 ? words.join(", ") : undefined;
}

function titled({ against }: Comparison, rungs: readonly RungResult[]): { title: string } {
  return rungs.find(({ name }) => name === against) ?? { title: against };
}

/** A rung's comparison in words: "12 % faster than “+ cache=none” (95 % interval +8 % to +15 %)". */
export function verdictInWords(rung: MeasuredRung, rungs: readonly RungResult[]): string | undefined {
  if (!rung.comparison) return undefined;
  const { ratio, verdict } = rung.comparison;
  const other = quoted(titled(rung.comparison, rungs));
  const limits = `95 % interval ${changeInterval(ratio)}`;
  const amount = change(ratio.median).replace(/^[+−]/, "");
  switch (verdict) {
    case "faster":
      return ratio.median >= 2
        ? `${amount} the IOPS of ${other} (${limits})`
        : `${amount} faster than ${other} (${limits})`;
    case "slower":
      return `${amount} slower than ${other} (${limits})`;
    case "no significant difference":
      return `no significant difference from ${other} (${limits})`;
    case "too few repeats":
      return `too few repeats to tell it from ${other} (${change(ratio.median)} in the middle)`;
  }
}

/** A rung's title as it stands in a sentence, without the plus of a rung that adds to another. */
export function quoted(rung: { title: string }): string {
  return `“${unquoted(rung)}”`;
}

/** The same without quotation marks, where it stands alone. */
export function unquoted({ title }: { title: string }): string {
  return title.replace(/^\+ /, "");
}

/** "a", "a and b", "a, b and c". */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function isLevel(rung: MeasuredRung, best: MeasuredRung): boolean {
  const verdict = compare(best, rung)?.verdict;
  return verdict === "no significant difference";
}

function timesInWords(ratio: number): string {
  return `${times(ratio).slice(0, -1)} times`;
}

function baseName(base: MeasuredRung): string {
  return base.name === "ide" ? "the default" : `as many as ${quoted(base)}`;
}
