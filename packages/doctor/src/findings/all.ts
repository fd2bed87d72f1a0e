import { blockFindings } from "./block.ts";
import { busFindings } from "./bus.ts";
import { cacheFindings } from "./cache.ts";
import { clientFindings } from "./client.ts";
import { clusterFindings } from "./cluster.ts";
import type { Finding } from "./finding.ts";
import { guestFindings } from "./guest.ts";
import { hostFindings } from "./host.ts";
import { imageFindings } from "./image.ts";
import { threadFindings } from "./threads.ts";

/** A group of findings, one section of the document. */
export interface FindingGroup {
  title: string;
  findings: readonly Finding[];
}

export const findingGroups: readonly FindingGroup[] = [
  { title: "Bus", findings: busFindings },
  { title: "Threads and queues", findings: threadFindings },
  { title: "Cache", findings: cacheFindings },
  { title: "Formats, discard, limits", findings: blockFindings },
  { title: "Image and mapping", findings: imageFindings },
  { title: "The way to the cluster", findings: clientFindings },
  { title: "Pool and cluster", findings: clusterFindings },
  { title: "The VM", findings: guestFindings },
  { title: "Host and process", findings: hostFindings },
];

export const allFindings: readonly Finding[] = findingGroups.flatMap(({ findings }) => findings);

/** Looks up a finding; undefined if there is none. */
export function findingById(id: string): Finding | undefined {
  return allFindings.find((finding) => finding.id === id);
}
