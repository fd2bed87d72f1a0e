import { dots, intervals, legend, rowLabels } from "../report/charts/marks.ts";
import type { Role } from "../report/charts/palette.ts";
import type { Chart, Drawing } from "../report/charts/render.ts";
import { type Format, rowLayout } from "../report/charts/rows.ts";
import { axisTitle, type Domain, logTicks } from "../report/charts/scales.ts";
import { bytes } from "../report/format.ts";
import { opensslDecrypt } from "../study/figures.ts";
import {
  blockSizes,
  type CryptoResults,
  type Direction,
  type SourceName,
  seriesOf,
  sources,
} from "./results.ts";
import { speedText } from "./words.ts";

interface Line {
  title: string;
  /** Its title where there is little width. */
  short: string;
  role: Role;
  /** As many as there are block sizes; bytes a second. */
  speeds: ({ median: number; low: number; high: number } | undefined)[];
}

const roles: Record<SourceName, Role> = { openssl: "accent", evp: "ink", node: "second" };

/** Speed by block size, of all that were measured; for decryption with the study's. */
export function speedChart(results: CryptoResults, direction: Direction): Chart {
  const lines = linesOf(results, direction);
  const largest = lines.map(({ title, speeds }) => `${title} ${speedText(speeds.at(-1)?.median ?? 0)}`);
  return {
    name: direction,
    title: `AES-128-GCM, ${direction}, by block size`,
    description: `With blocks of 16 KiB: ${largest.join("; ")}.`,
    draw: (format) => draw(lines, format),
  };
}

function linesOf(results: CryptoResults, direction: Direction): Line[] {
  const own = (["openssl", "evp", "node"] as const).flatMap((source): Line[] => {
    const series = seriesOf(results, source, direction);
    const speedAt = (size: number) => series?.speeds.find((each) => each.size === size)?.speed;
    const { title, short } = sources[source];
    return series ? [{ title, short, role: roles[source], speeds: blockSizes.map(speedAt) }] : [];
  });
  if (direction === "encrypt") return own;
  const study = blockSizes.map((size) => {
    const speed = opensslDecrypt[size] * 1000;
    return { median: speed, low: speed, high: speed };
  });
  return [...own, { title: "the study", short: "study", role: "study", speeds: study }];
}

function draw(lines: Line[], format: Format): Drawing {
  const wide = format === "wide";
  const layout = rowLayout(blockSizes.map(bytes), format, { right: 16, top: 34, marks: 22 });
  const points = lines.flatMap(({ role, speeds }) =>
    speeds.flatMap((speed, row) => (speed ? [{ ...inMegabytes(speed), role, y: layout.rows[row].y }] : [])),
  );
  const values = points.flatMap(({ low, high }) => [low, high]);
  const domain: Domain = [Math.min(...values) * 0.8, Math.max(...values) * 1.2];
  const x = {
    type: "quantitative",
    scale: { type: "log", domain, nice: false },
    axis: {
      title: axisTitle(layout, "MB per second of CPU time (logarithmic scale)"),
      values: logTicks(domain).filter((tick) => wide || /^1/.test(String(tick))),
      format: ",.0f",
    },
  } as const;
  return {
    layout,
    layers: [
      ...intervals(points.filter(({ role }) => role !== "study")),
      ...lines.map(({ role }) =>
        dots({ values: points.filter((point) => point.role === role) }, { ...x, field: "median" }, role),
      ),
      rowLabels(layout),
      ...legend(
        layout,
        lines.map(({ role, title, short }) => ({
          sign: "●",
          role,
          text: wide ? title : short,
        })),
        wide ? 150 : 88,
      ),
    ],
  };
}

function inMegabytes({ median, low, high }: { median: number; low: number; high: number }) {
  return { median: median / 1e6, low: low / 1e6, high: high / 1e6 };
}
