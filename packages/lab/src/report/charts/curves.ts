import type { Curve } from "../../results/schema.ts";
import { count, latency } from "../format.ts";
import { drawLines, type Line } from "./lines.ts";
import type { Chart } from "./render.ts";

/** A rung or a cell with its curve for one mix. */
export interface CurveSeries {
  title: string;
  curve: Curve;
}

const figures = {
  p50: { of: "latencyP50", words: "Median latency" },
  p99: { of: "latencyP99", words: "p99 latency" },
} as const;

export type CurveFigure = keyof typeof figures;

/** Latency against IOPS: a line over the depths for each series, with the knee marked. */
export function curveChart(mix: string, series: readonly CurveSeries[], figure: CurveFigure): Chart {
  const { of, words } = figures[figure];
  const described = series.map(({ title, curve }) => {
    const points = curve.points.map(
      (point) => `depth ${point.depth} ${count(point.iops.median)} IOPS, ${latency(point[of].median)}`,
    );
    return `${title}: ${points.join("; ")}`;
  });
  return {
    name: `curve-${mix.replace("/", "-")}-${figure}`,
    title: `${words} against IOPS, ${mixInWords(mix)}`,
    description: `${described.join(". ")}.`,
    draw: (format) =>
      drawLines(
        series.map((each) => lineOf(each, of)),
        {
          x: { title: "IOPS (both scales are logarithmic)" },
          y: { title: `${words}, ms` },
        },
        format,
      ),
  };
}

export function mixInWords(mix: string): string {
  const [reads, writes] = mix.split("/");
  if (writes !== undefined) return `${reads} % reads, ${writes} % writes`;
  return wordsOfMix[mix] ?? mix;
}

const wordsOfMix: Readonly<Record<string, string>> = {
  read: "random reads",
  write: "random writes",
  "sequential-read": "sequential reads",
  "sequential-write": "sequential writes",
  "sequential-rw": "sequential reads and writes",
};

function lineOf({ title, curve }: CurveSeries, of: (typeof figures)[CurveFigure]["of"]): Line {
  const { points, knee } = curve;
  return {
    title: knee ? `${title}, knee at ${knee.depth}` : title,
    points: points.map((point) => {
      const { median, low, high } = point[of];
      return {
        x: point.iops,
        y: { median: median / 1000, low: low / 1000, high: high / 1000 },
        ringed: point.depth === knee?.depth,
      };
    }),
  };
}
