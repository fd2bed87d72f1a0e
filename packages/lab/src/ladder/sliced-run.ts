import type { FioFigures } from "../fio/result.ts";
import { bestSlices } from "../results/figures.ts";
import type { Run } from "../results/schema.ts";
import { type SliceFigures, sum } from "./slice.ts";

/** A slice and its position in the block. */
export type PlacedSlice = SliceFigures & { round: number; way: 0 | 1 };

/** A rung's run of one block: I/Os, time and CPU are those of its slices; latency is fio's, over all of them. */
export function runOf(
  slices: readonly PlacedSlice[],
  { latency, bytesPerSecond, iops: fioIops }: Pick<FioFigures, "latency" | "bytesPerSecond" | "iops">,
): Pick<Run, "seconds" | "ios" | "iops" | "bytesPerSecond" | "latency" | "cpu" | "slices"> {
  const table = tableOf(slices);
  const counted = bestSlices(table).map((at) => slices[at]!);
  const total = (figure: (slice: PlacedSlice) => number) =>
    counted.reduce((all, slice) => all + figure(slice), 0);
  const [ios, seconds] = [total((slice) => slice.ios), total((slice) => slice.seconds)];
  const osds = counted.flatMap((slice) => slice.osds ?? []);
  return {
    ...{ seconds, ios: Math.round(ios), iops: ios / seconds },
    bytesPerSecond: (ios / seconds) * (bytesPerSecond / fioIops),
    latency,
    cpu: {
      client: counted.map((slice) => slice.client).reduce(sum),
      ...(osds.length > 0 && { osds: osds.reduce(sum) }),
    },
    slices: table,
  };
}

/** The host's sensors that were read in every slice. */
function sensors(slices: readonly PlacedSlice[]): Partial<Pick<NonNullable<Run["slices"]>, SensorName>> {
  const columns = sensorNames.flatMap((name) => {
    const values = slices.flatMap((slice) => slice[name] ?? []);
    return values.length === slices.length ? [[name, values.map((value) => Number(value.toFixed(3)))]] : [];
  });
  return Object.fromEntries(columns);
}

const sensorNames = ["mhz", "celsius", "throttled", "remote"] as const;
type SensorName = (typeof sensorNames)[number];

function tableOf(slices: readonly PlacedSlice[]): NonNullable<Run["slices"]> {
  const column = (figure: (slice: PlacedSlice) => number, digits = 6) =>
    slices.map((slice) => Number(figure(slice).toFixed(digits)));
  // A process's own times are in ticks of 10 ms, a twentieth of what a thread uses in a slice.
  const busy = ({ threads }: SliceFigures["client"]) =>
    Object.values(threads).reduce((all, seconds) => all + seconds, 0);
  return {
    round: column(({ round }) => round),
    way: column(({ way }) => way),
    seconds: column(({ seconds }) => seconds),
    ios: column(({ ios }) => ios, 1),
    cpu: column(({ client }) => busy(client), 4),
    ...(slices.every(({ osds }) => osds !== undefined) && { osds: column(({ osds }) => busy(osds!), 4) }),
    calibration: column(({ calibration }) => calibration, 2),
    ...(slices.some(({ distance }) => distance !== undefined) && {
      distance: column(({ distance = 0 }) => distance, 1),
    }),
    foreign: column(({ foreign }) => foreign, 3),
    steal: column(({ steal }) => steal, 3),
    ...sensors(slices),
  };
}
