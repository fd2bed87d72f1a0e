import { change, changeInterval } from "../report/format.ts";
import type { Estimate } from "../results/schema.ts";
import type { RunsComparison } from "./compare-runs.ts";
import { type MetricName, metrics } from "./metrics.ts";

/** A rung or cell on which a later run falls short of the first. */
export interface Regression {
  run: string;
  row: string;
  /** In words: "“iothread” is slower by 12 % (95 % interval −14 to −9 %)". */
  what: string;
}

export interface Judgement {
  regressions: Regression[];
  /** Rows without a verdict, and why: no regression was found, but none is excluded. */
  undecided: Regression[];
}

/** By how many percent a later run may be worse than the first, figure by figure; others are not judged. */
export type Limits = Partial<Record<MetricName, number>>;

/**
 * Where a later run is worse than the first by more than its limit: the whole 95 % interval lies beyond that. One
 * that the first run measured and that failed in a later one is a regression, too.
 */
export function judge({ runs, rows }: RunsComparison, limits: Limits): Judgement {
  const judgement: Judgement = { regressions: [], undecided: [] };
  const judged = Object.entries(limits) as [MetricName, number][];
  for (const { title, cells, changes } of rows) {
    for (const [index, changed] of changes.entries()) {
      const run = runs[index + 1].label;
      const cell = cells[index + 1];
      const add = (list: keyof Judgement, what: string) =>
        judgement[list].push({ run, row: title, what: `“${title}” ${what}` });
      if (cells[0].status !== "measured") continue;
      if (cell.status === "failed") add("regressions", `failed: ${cell.reason}`);
      else if (!changed) add("undecided", "was not measured");
      else if (changed.iops.verdict === "too few repeats") add("undecided", "has too few repeats to tell");
      else {
        for (const [name, percent] of judged) {
          const { ratio } = changed[name];
          if (!isBeyond(ratio, percent, metrics[name].moreIsBetter)) continue;
          const words = name === "iops" ? "is slower" : `has more ${metrics[name].title}`;
          const unit = name === "iops" ? " IOPS" : "";
          add(
            "regressions",
            `${words}: ${change(ratio.median)}${unit} (95 % interval ${changeInterval(ratio)})`,
          );
        }
      }
    }
  }
  return judgement;
}

function isBeyond({ low, high }: Estimate, percent: number, moreIsBetter: boolean): boolean {
  return moreIsBetter ? high < 1 - percent / 100 : low > 1 + percent / 100;
}
