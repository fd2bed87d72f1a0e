import type { Element } from "../inputs/xml.ts";

/** A disk's libvirt limits in siphon's syntax (`iops=1000,iops-burst=2000`); undefined if it has none. */
export function limitsOfTune(tune: Element): string | undefined {
  const value = (name: string) => Number(tune.find(name)?.text ?? 0);
  const parts = Object.entries(names).flatMap(([theirs, ours]) => {
    const rate = value(`${theirs}_sec`);
    if (!(rate > 0)) return [];
    const burst = value(`${theirs}_sec_max`);
    const seconds = value(`${theirs}_sec_max_length`);
    return [
      `${ours}=${rate}`,
      ...(burst > rate ? [`${ours}-burst=${burst}`] : []),
      ...(burst > rate && seconds > 1 ? [`${ours}-burst-seconds=${seconds}`] : []),
    ];
  });
  return parts.length === 0 ? undefined : parts.join(",");
}

const names = {
  total_iops: "iops",
  read_iops: "read-iops",
  write_iops: "write-iops",
  total_bytes: "bps",
  read_bytes: "read-bps",
  write_bytes: "write-bps",
};
