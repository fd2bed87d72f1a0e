import { change, changeInterval } from "../report/format.ts";
import type { RunsComparison } from "./compare-runs.ts";

/** A rung or cell on which a later run falls short of the first. */
export interface Regression {
  run: string;
  row: string;
  /** In words: "“iothread” is slower by 12 % (95 % interval −14 to −9 %)". */
  what: string;
}

export interface Judgement {
  regressions: Regression[];
  /** Rows that nothing can be said of, and why; no regression, but no proof that there is none. */
  undecided: Regression[];
}

/**
 * Where a later run is slower than the first by more than `percent`: its whole 95 % interval of IOPS lies below
 * that. One that the first run measured and that failed in a later one is a regression, too.
 */
export function judge({ runs, rows }: RunsComparison, percent: number): Judgement {
  const limit = 1 - percent / 100;
  const judgement: Judgement = { regressions: [], undecided: [] };
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
      else if (changed.iops.ratio.high < limit) {
        const { ratio } = changed.iops;
        add(
          "regressions",
          `is slower: ${change(ratio.median)} IOPS (95 % interval ${changeInterval(ratio)})`,
        );
      }
    }
  }
  return judgement;
}
