import { foreignLimit, type Quiet } from "../results/quiet.ts";
import { listed } from "./findings.ts";
import { change, count, percent } from "./format.ts";

/** How quiet the machine was, in sentences. */
export function quietInWords(quiet: Quiet): string[] {
  const { slices, again, disturbed, bootedAgain, foreign, steal, speed, distance, host } = quiet;
  const share = (part: number) => percent(part * 100);
  const others = `Other programs took ${share(foreign.middle)} of the processors in the middle slice, and ${share(foreign.most)} at most`;
  const stolen =
    steal.most < 0.005
      ? "other machines on the same host took nothing"
      : `other machines on the same host took ${share(steal.middle)} and ${share(steal.most)}`;
  return [
    `${others}; ${stolen}.`,
    disturbed + again === 0
      ? `In none of the ${slices} slices did others take more than ${share(foreignLimit)}.`
      : `Of the ${slices} slices, ${again} were repeated because others took more than ${share(foreignLimit)}; in ${disturbed} of the counted slices others took that much.`,
    `The fixed piece of work beside the slices shows that in nine of ten slices the processor’s speed was between ${change(1 + speed.slow)} and ${change(1 + speed.fast)} of its median.`,
    ...(distance === undefined ? [] : [distanceInWords(distance)]),
    ...(bootedAgain === 0 ? [] : [bootedAgainInWords(bootedAgain)]),
    ...hostInWords(host),
  ];
}

/** Beyond this a hypervisor has moved processors: on a machine that stays as it is, times differ by a few percent. */
const MOVED = 2;

function distanceInWords({ near, middle, far }: NonNullable<Quiet["distance"]>): string {
  const [least, usual, most] = [near, middle, far].map((each) => count(Math.round(each)));
  const moved = far > MOVED * near ? ": the processors of this machine move apart and together" : "";
  return `A word took ${usual} ns from one processor to another and back in the middle slice, and ${least} to ${most} ns in nine of ten${moved}. The effect is removed as well.`;
}

function bootedAgainInWords(vms: number): string {
  const [hung, theirs] =
    vms === 1 ? ["1 VM hung or crashed and was", "its"] : [`${vms} VMs hung or crashed and were`, "their"];
  return `${hung} booted again; the measurements of ${theirs} rung in that block are from the last boot.`;
}

/** The readings of the host's own sensors, in sentences. */
function hostInWords({ mhz, celsius, throttled, remote }: Quiet["host"]): string[] {
  const hidden = [
    ...(mhz === undefined ? ["frequency"] : []),
    ...(celsius === undefined ? ["temperature"] : []),
    ...(throttled === undefined ? ["throttling"] : []),
  ];
  return [
    ...(mhz === undefined
      ? []
      : [
          `The processors ran at ${count(Math.round(mhz.middle))} MHz in the middle slice, and between ${count(Math.round(mhz.least))} and ${count(Math.round(mhz.most))} MHz in all.`,
        ]),
    ...(celsius === undefined ? [] : [`The hottest sensor showed ${celsius.toFixed(0)} °C at most.`]),
    ...(throttled === undefined
      ? []
      : [
          throttled === 0
            ? "No processor was throttled for heat."
            : `During ${throttled} slices processors were throttled for heat; these slices were repeated as well.`,
        ]),
    ...(remote === undefined
      ? []
      : [`Of new pages, ${percent(remote * 100)} came from another NUMA node in the middle slice.`]),
    ...(hidden.length === 0 ? [] : [`This host does not show its processors’ ${listed(hidden)}.`]),
  ];
}

/** A warning for the reader; undefined if the machine was quiet enough. */
export function noiseWarning({ slices, again, disturbed }: Quiet): string | undefined {
  const share = disturbed / (slices - again);
  if (share < 0.2) return undefined;
  return `The machine was busy: during ${percent(share * 100)} of the counted slices, others took more than ${percent(foreignLimit * 100)} of its processors. This widens the intervals.`;
}
