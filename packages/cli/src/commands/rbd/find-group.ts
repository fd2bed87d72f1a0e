import type { Cluster } from "@siphon/rados";
import { type Group, type Image, ImagePool } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import { type GroupSpec, groupText } from "./group-spec.ts";

/** Undefined if the group does not exist: rbd then shows or removes nothing, and reports no error. */
export async function groupIfThere({ groups }: ImagePool, { group }: GroupSpec): Promise<Group | undefined> {
  return groups.open(group).catch((error) => {
    if (!isMissing(error)) throw error;
    process.stderr.write(`siphon: ${error.message}\n`);
    return undefined;
  });
}

/** The spec of the group that contains an image; undefined if no group does. */
export async function groupOf(cluster: Cluster, { header }: Image): Promise<string | undefined> {
  if (header.group === undefined) return undefined;
  const { pool, group } = await groupById(cluster, header.namespace, header.group);
  return groupText({ pool, namespace: header.namespace, group: group?.name ?? header.group.groupId });
}

/** A snapshot of a group that an image's snapshot is a part of. */
export interface GroupSnapshotText {
  pool: string;
  group: string;
  snapshot: string;
}

/** The group snapshots that an image's snapshots belong to, by snapshot id. */
export async function groupSnapshotsOf(
  cluster: Cluster,
  { snapshots, header }: Image,
): Promise<Map<number, GroupSnapshotText>> {
  const texts = snapshots.all().map(async ({ id, namespace }): Promise<[number, GroupSnapshotText][]> => {
    if (namespace.type !== "group") return [];
    const { groupId, groupSnapshotId } = namespace;
    const { pool, group } = await groupById(cluster, header.namespace, namespace);
    const snapshot = (await group?.snapshots.list())?.find((each) => each.id === groupSnapshotId);
    return [[id, { pool, group: group?.name ?? groupId, snapshot: snapshot?.name ?? groupSnapshotId }]];
  });
  return new Map((await Promise.all(texts)).flat());
}

async function groupById(
  cluster: Cluster,
  namespace: string,
  { poolId, groupId }: { poolId: number; groupId: string },
): Promise<{ pool: string; group: Group | undefined }> {
  const pool = cluster.pools.get(poolId) ?? String(poolId);
  const { groups } = await ImagePool.open(cluster, pool, { namespace });
  const group = await groups.openById(groupId).catch((error) => {
    if (!isMissing(error)) throw error;
    return undefined;
  });
  return { pool, group };
}

function isMissing(error: unknown): error is SiphonError {
  return error instanceof SiphonError && error.code === "SIPHON_RBD_NO_GROUP";
}
