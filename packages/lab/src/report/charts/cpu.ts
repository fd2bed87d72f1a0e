import type { MeasuredRung } from "../../results/schema.ts";
import type { Findings } from "../findings.ts";
import { cpuTime } from "../format.ts";
import { intervals, legend, pixelY, rowLabels } from "./marks.ts";
import { color, type Role } from "./palette.ts";
import type { Chart, Drawing, Layer } from "./render.ts";
import { type Format, rowLayout } from "./rows.ts";
import { axisTitle } from "./scales.ts";

/** CPU time that one I/O costs, by rung: the QEMU process, and all OSDs where they could be seen. */
export function cpuChart({ measured }: Pick<Findings, "measured">): Chart | undefined {
  if (measured.length === 0) return undefined;
  const described = measured.map(({ title, summary: { clientCpuPerIo, osdCpuPerIo } }) => {
    const osds = osdCpuPerIo ? `, OSDs ${cpuTime(osdCpuPerIo.median)}` : "";
    return `${title}: QEMU ${cpuTime(clientCpuPerIo.median)}${osds}`;
  });
  return {
    name: "cpu",
    title: "CPU time per I/O by rung",
    description: `${described.join("; ")}.`,
    draw: (format) => draw(measured, format),
  };
}

function draw(rungs: MeasuredRung[], format: Format): Drawing {
  const withOsds = rungs.some(({ summary }) => summary.osdCpuPerIo);
  const layout = rowLayout(
    rungs.map(({ title }) => title),
    format,
    { right: 64, top: 30, marks: withOsds ? 30 : 18 },
  );
  const bars = rungs.flatMap(({ summary: { clientCpuPerIo, osdCpuPerIo } }, index) => {
    const { y } = layout.rows[index]!;
    const shift = withOsds ? 7.5 : 0;
    return [
      { ...clientCpuPerIo, y: y - shift, role: "accent" as const },
      ...(osdCpuPerIo ? [{ ...osdCpuPerIo, y: y + shift, role: "second" as const }] : []),
    ].map((bar) => ({ ...bar, text: cpuTime(bar.median) }));
  });
  const x = {
    type: "quantitative",
    scale: { domainMin: 0, nice: true },
    axis: {
      title: axisTitle(layout, "microseconds of CPU (user and system) per I/O, with 95 % interval"),
      tickCount: format === "wide" ? 6 : 4,
      format: ",.0f",
    },
  } as const;
  const barsOf = (role: Role): Layer => ({
    data: { values: bars.filter((bar) => bar.role === role) },
    mark: { type: "bar", orient: "horizontal", size: 12, color: color(role) },
    encoding: { x: { ...x, field: "median" }, y: pixelY },
  });
  return {
    layout,
    layers: [
      barsOf("accent"),
      barsOf("second"),
      ...intervals(bars),
      {
        data: { values: bars },
        mark: { type: "text", align: "left", dx: 7, color: color("ink"), fontSize: 12 },
        encoding: { x: { ...x, field: "high" }, y: pixelY, text: { field: "text", type: "nominal" } },
      },
      rowLabels(layout),
      ...legend(
        layout,
        [
          { sign: "■", role: "accent", text: "QEMU" },
          ...(withOsds ? [{ sign: "■", role: "second" as const, text: "all OSDs together" }] : []),
        ],
        80,
      ),
    ],
  };
}
