import type { Examination } from "../examination.ts";
import type { Worth } from "../findings/finding.ts";
import type { Place } from "../model/place.ts";

/** The subject of an examination, in one line. */
export function titleOf({ name, id, pid, platform, managedBy }: Examination): string {
  const process = pid === undefined ? undefined : `pid ${pid}`;
  const who = [name, id !== undefined && id !== name ? id : process].filter(Boolean).join(" ");
  const by = managedBy === undefined ? platform : `${platform}, by ${managedBy}`;
  return who === "" ? by : `${who} (${by})`;
}

/** `vm.conf:12 scsi0`. */
export function placeWords({ file, line, path }: Place): string {
  return `${file}:${line}${path === undefined ? "" : ` ${path}`}`;
}

export function worthWords({ text, source, interval }: Worth): string {
  const range =
    interval === undefined ? "" : `, 95 % interval ${interval[0].toFixed(2)} to ${interval[1].toFixed(2)}`;
  return `${text}${range} (${source})`;
}
