import { dots, figureColumns, intervals, legend, rowLabels } from "../report/charts/marks.ts";
import { color, type Role } from "../report/charts/palette.ts";
import type { Chart, Drawing, Layer } from "../report/charts/render.ts";
import { type Format, rowLayout } from "../report/charts/rows.ts";
import { axisTitle, type Domain } from "../report/charts/scales.ts";
import { change } from "../report/format.ts";
import type { Change, ChangeVerdict, RunsComparison } from "./compare-runs.ts";

interface Row extends Change {
  title: string;
}

/** The IOPS of one later run over the first's, row by row; undefined when they have none in common. */
export function changesChart({ runs, rows: compared }: RunsComparison, later: number): Chart | undefined {
  const rows = compared.flatMap(({ title, changes }): Row[] => {
    const iops = changes[later - 1]?.iops;
    return iops ? [{ title, ...iops }] : [];
  });
  if (rows.length === 0) return undefined;
  const described = rows.map(({ title, ratio, verdict }) => `${title} ${change(ratio.median)} (${verdict})`);
  return {
    name: `changes-${later}`,
    title: `IOPS of ${runs[later].label} against ${runs[0].label}`,
    description: `${described.join("; ")}.`,
    draw: (format) => draw(rows, format),
  };
}

const roles: Record<ChangeVerdict, Role> = {
  better: "accent",
  worse: "study",
  "no significant difference": "second",
  "too few repeats": "second",
};

function draw(rows: Row[], format: Format): Drawing {
  const layout = rowLayout(
    rows.map(({ title }) => title),
    format,
    { right: format === "wide" ? 90 : 4, top: 34, marks: 20, labelBesideFigures: 26 },
  );
  const points = rows.map(({ ratio, verdict }, index) => ({
    ...ratio,
    y: layout.rows[index].y,
    role: roles[verdict],
  }));
  const ends = rows.flatMap(({ ratio }) => [ratio.low, ratio.high]);
  const domain: Domain = [Math.min(0.95, ...ends) * 0.98, Math.max(1.05, ...ends) * 1.02];
  const x = {
    type: "quantitative",
    scale: { type: "log", domain, nice: false },
    axis: {
      title: axisTitle(layout, "change in IOPS, with 95 % interval (logarithmic scale)"),
      values: ticks(domain, format),
      labelExpr:
        "datum.value >= 2 ? datum.value + '×' : (datum.value < 1 ? '−' : '+') + round(abs(datum.value - 1) * 100) + ' %'",
    },
  } as const;
  const layers: Layer[] = [
    {
      data: { values: [{ one: 1 }] },
      mark: { type: "rule", color: color("muted"), strokeWidth: 1.5 },
      encoding: { x: { ...x, field: "one" } },
    },
    ...intervals(points),
    ...(["accent", "study", "second"] as const).map((role) =>
      dots({ values: points.filter((point) => point.role === role) }, { ...x, field: "median" }, role),
    ),
    rowLabels(layout),
    ...figureColumns(layout, [
      { head: "change", figures: rows.map(({ ratio }) => change(ratio.median)), width: 80, weight: 600 },
    ]),
    ...legend(
      layout,
      [
        { sign: "●", role: "accent", text: "faster" },
        { sign: "●", role: "study", text: "slower" },
        { sign: "●", role: "second", text: "not told apart" },
      ],
      74,
    ),
  ];
  return { layout, layers };
}

const candidates = [
  ...[0.1, 0.2, 0.33, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1],
  ...[1.02, 1.05, 1.1, 1.2, 1.3, 1.5, 2, 3, 5, 10, 20, 50],
];

/** Round changes that stand far enough apart for their labels, no change always among them. */
function ticks([least, greatest]: Domain, format: Format): number[] {
  const apart = Math.log(greatest / least) / (format === "wide" ? 9 : 5);
  const chosen = [1];
  for (const side of [
    candidates.filter((tick) => tick > 1),
    candidates.filter((tick) => tick < 1).toReversed(),
  ]) {
    let last = 1;
    for (const tick of side) {
      if (tick < least || tick > greatest || Math.abs(Math.log(tick / last)) < apart) continue;
      chosen.push(tick);
      last = tick;
    }
  }
  return chosen;
}
