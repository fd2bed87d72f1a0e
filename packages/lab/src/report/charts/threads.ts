import type { MeasuredRung } from "../../results/schema.ts";
import { percent } from "../format.ts";
import { pixelY, rowLabels } from "./marks.ts";
import { color, type Role } from "./palette.ts";
import type { Chart, Drawing, Layer } from "./render.ts";
import { type Format, rowLayout } from "./rows.ts";

const mostColumns = 10;
/** A thread below this percentage of a core at every rung counts among the others. */
const noteworthy = 2;
const others = "others";

/** A measurement and the CPU use of its client's threads. */
export type ThreadsRow = Pick<MeasuredRung, "title"> & { summary: Pick<MeasuredRung["summary"], "threads"> };

/** CPU use of each client thread at each rung, in percent of one core: a thread near 100 is the limit. */
export function threadsChart(
  { measured }: { measured: readonly ThreadsRow[] },
  title = "CPU of the VM’s processes by thread and rung",
): Chart | undefined {
  const names = threadColumns(measured);
  if (names.length === 0) return undefined;
  const described = measured.map(({ title: row, summary }) => {
    const [busiest] = Object.entries(summary.threads).toSorted(([, a], [, b]) => b - a);
    return busiest ? `${row}: ${busiest[0]} ${percent(busiest[1])}` : row;
  });
  return {
    name: "threads",
    title,
    description: `The busiest thread of each, in percent of one core: ${described.join("; ")}.`,
    draw: (format) => draw(measured, names, format),
  };
}

/** The threads with their own column, the busiest first, and the rest in a last column. */
export function threadColumns(rungs: readonly ThreadsRow[]): string[] {
  const most = new Map<string, number>();
  for (const { summary } of rungs) {
    for (const [name, load] of Object.entries(summary.threads)) {
      most.set(name, Math.max(load, most.get(name) ?? 0));
    }
  }
  const ordered = [...most].toSorted(([, a], [, b]) => b - a);
  const shown = ordered.filter(([, load]) => load >= noteworthy).slice(0, mostColumns - 1);
  const names = shown.map(([name]) => name);
  return names.length < ordered.length ? [...names, others] : names;
}

/** A rung's load in each column, percent of one core. */
export function columnLoads(rung: ThreadsRow, columns: readonly string[]): number[] {
  const { threads } = rung.summary;
  const named = new Set(columns);
  const rest = Object.entries(threads).reduce((sum, [name, load]) => sum + (named.has(name) ? 0 : load), 0);
  return columns.map((name) => threads[name] ?? (name === others ? rest : 0));
}

function draw(rungs: readonly ThreadsRow[], columns: string[], format: Format): Drawing {
  const wide = format === "wide";
  const layout = rowLayout(
    rungs.map(({ title }) => title),
    format,
    { right: wide ? 72 : 44, top: wide ? 92 : 112, bottom: 8, marks: 24 },
  );
  const step = layout.plotWidth / columns.length;
  const cells = rungs.flatMap((rung, row) =>
    columnLoads(rung, columns).map((load, column) => {
      const { y } = layout.rows[row]!;
      const { fill, ink } = shade(load);
      return {
        x: column * step + 1,
        x2: (column + 1) * step - 1,
        middle: (column + 0.5) * step,
        y,
        top: y - 13,
        bottom: y + 13,
        fill: color(fill),
        ink: color(ink),
        text: load < 0.5 ? "·" : Math.round(load).toString(),
      };
    }),
  );
  const heads = columns.map((text, column) => ({ text, x: (column + 0.4) * step, y: -8 }));
  const pixelX = { type: "quantitative", scale: null, axis: null } as const;
  const layers: Layer[] = [
    {
      data: { values: cells },
      mark: { type: "rect", cornerRadius: 3 },
      encoding: {
        x: { ...pixelX, field: "x" },
        x2: { field: "x2" },
        y: { ...pixelY, field: "top" },
        y2: { field: "bottom" },
        fill: { field: "fill", type: "nominal", scale: null, legend: null },
      },
    },
    {
      data: { values: cells },
      mark: { type: "text", fontSize: 12 },
      encoding: {
        x: { ...pixelX, field: "middle" },
        y: pixelY,
        text: { field: "text", type: "nominal" },
        color: { field: "ink", type: "nominal", scale: null, legend: null },
      },
    },
    {
      data: { values: heads },
      mark: { type: "text", align: "left", angle: wide ? -40 : -60, color: color("muted"), fontSize: 12 },
      encoding: {
        x: { ...pixelX, field: "x" },
        y: pixelY,
        text: { field: "text", type: "nominal" },
      },
    },
    rowLabels(layout),
  ];
  return { layout, layers };
}

const steps: { from: number; fill: Role; ink: Role }[] = [
  { from: 90, fill: "heat5", ink: "onDarkHeat" },
  { from: 70, fill: "heat4", ink: "onDarkHeat" },
  { from: 45, fill: "heat3", ink: "onDarkHeat" },
  { from: 20, fill: "heat2", ink: "onLightHeat" },
  { from: 5, fill: "heat1", ink: "onLightHeat" },
  { from: 0, fill: "heat0", ink: "onLightHeat" },
];

function shade(load: number): { fill: Role; ink: Role } {
  return steps.find(({ from }) => load >= from) ?? steps.at(-1)!;
}
