import Table from "cli-table3";

/** A table without lines: the first column is aligned left, the others right. */
export function plainTable(head: readonly string[], rows: readonly string[][]): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (index === 0 ? "left" : "right")),
    chars: lines,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2, compact: true },
  });
  table.push(...rows);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** No lines; spaces separate the columns. */
const lines = Object.fromEntries(
  ["top", "bottom", "left", "mid", "right"].flatMap((side) => [
    [side, ""],
    ...["mid", "left", "right"].map((end) => [`${side}-${end}`, ""]),
  ]),
);
lines.middle = "";
