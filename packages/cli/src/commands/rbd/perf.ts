import { type ImagePerformance, imagePerformance, performanceMetrics } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { type SpecFlags, usage, withSpecFlags } from "./image-spec.ts";
import { type Column, type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import {
  countOption,
  imageName,
  metricOption,
  metricText,
  pause,
  performanceRow,
  statisticsPeriod,
  withQuery,
} from "./performance.ts";
import { showTop } from "./top.ts";

type Flags = ConnectFlags & SpecFlags;

/** `perf image`: rbd's name for what `siphon top` shows. */
export function perfCommand(): Command {
  const image = new Command("image").summary("I/O of images: iostat, iotop");
  image.addCommand(iostat());
  image.addCommand(iotop());
  return new Command("perf").summary("current I/O of images: image iostat, image iotop").addCommand(image);
}

function iostat(): Command {
  const command = new Command("iostat")
    .summary("show the I/O of images repeatedly")
    .argument("[pool-spec]", "(default: all pools)")
    .option("--iterations <n>", "number of outputs (default: until interrupted)")
    .option("--sort-by <metric>", "write-ops, read-ops, write-bytes, ...", "write-ops")
    .action(
      (text: string | undefined, flags: Flags & FormatFlags & { iterations?: string; sortBy: string }) => {
        const iterations = countOption(flags.iterations);
        const sortBy = metricOption(flags.sortBy);
        if (flags.format !== "plain" && (iterations ?? 0) > 1) {
          throw usage("--iterations makes no sense where the format is not plain");
        }
        return withQuery(text, flags, async (cluster, query) => {
          const shown = flags.format === "plain" ? (iterations ?? Number.POSITIVE_INFINITY) : 1;
          let isWaiting = false;
          for (let count = 0; count < shown; ) {
            const found = await imagePerformance(cluster, { ...query, sortBy, signal: interruption.signal });
            if (count > 0 || found.length > 0) {
              count++;
              printStatistics(found, flags, query.pool === undefined);
            } else if (!isWaiting) {
              isWaiting = true;
              process.stderr.write("siphon: waiting for initial image stats\n\n");
            }
            if (count < shown) await pause(statisticsPeriod(cluster), interruption.signal);
          }
        });
      },
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

function iotop(): Command {
  const command = new Command("iotop")
    .summary("show the I/O of images, like top")
    .argument("[pool-spec]", "(default: all pools)")
    .action((text: string | undefined, flags: Flags) =>
      withQuery(text, flags, (cluster, query) => showTop(cluster, query, { format: "plain" })),
    );
  return withConnectFlags(withSpecFlags(command));
}

/** Prints rbd's columns. Each metric ends with a space, and an empty line follows the last row. */
function printStatistics(found: ImagePerformance[], flags: FormatFlags, withPool: boolean): void {
  const rows = found.map((each) => [
    imageName(each, withPool),
    ...performanceMetrics.map((metric) => `${metricText(metric, each[metric])} `),
  ]);
  print(
    flags,
    () => `${table([["NAME", "left"], ...heads], rows)}\n`,
    () => found.map(performanceRow),
    { root: "images", items: { images: "image" } },
  );
}

const heads = ["WR ", "RD ", "WR_BYTES ", "RD_BYTES ", "WR_LAT ", "RD_LAT "].map(
  (head): Column => [head, "right", "right"],
);
