import type { Cluster } from "@siphon/rados";
import { featureNames, type Image, ImagePool, imageFlag, opFeature } from "@siphon/rbd";
import { bytesText } from "../rados/format.ts";
import { groupOf } from "./find-group.ts";
import { ctime } from "./output.ts";

/** A parent as rbd shows it. */
export interface ParentText {
  pool: string;
  pool_namespace: string;
  image: string;
  id: string;
  snapshot: string;
  trash: boolean;
}

/** The fields of `rbd info` for an image, in rbd's order. */
export async function describeImage(cluster: Cluster, image: Image): Promise<Record<string, unknown>> {
  const { header, snapId } = image;
  const { order, objectSize, features, flags, opFeatures, stripeUnit, stripeCount, objectPrefix } = header;
  const snapshot = snapId === undefined ? undefined : header.snapshots.get(snapId);
  const link = snapshot === undefined ? header.parent : snapshot.parent;
  const limit = await image.snapshotLimit();
  const striped = (features & 2) !== 0;
  const group = await groupOf(cluster, image);
  const isNew = header.format === 2;
  return {
    ...{ name: header.name, id: shownId(header), size: image.size, objects: objectsOf(image) },
    ...{ order, object_size: objectSize, snapshot_count: image.snapshots.all().length },
    ...(header.dataPoolId !== header.poolId && { data_pool: cluster.pools.get(header.dataPoolId) }),
    ...{ block_name_prefix: objectPrefix, format: header.format },
    ...(isNew && { features: featureNames(features), op_features: opFeatureNames(opFeatures) }),
    ...(isNew && { flags: flagNames(snapshot?.flags ?? flags) }),
    ...(group !== undefined && { group }),
    ...(isNew && { create_timestamp: ctime(header.created), access_timestamp: ctime(header.accessed) }),
    ...(isNew && { modify_timestamp: ctime(header.modified) }),
    ...(snapshot && { protected: snapshot.isProtected ? "true" : "false" }),
    ...(limit !== undefined && { snapshot_limit: limit }),
    ...(link && { parent: { ...(await parentText(cluster, link)), overlap: link.overlap } }),
    ...(striped && { stripe_unit: stripeUnit, stripe_count: stripeCount }),
  };
}

/** Images of format 1 have no id. */
export function shownId({ id, format }: Image["header"]): string {
  return format === 1 ? "" : id;
}

/** The same fields as lines of text. */
export function infoText(info: Record<string, unknown>): string {
  const names = (of: unknown) => (of as string[]).join(", ");
  const size = bytesText(info.size as number);
  const lines = [
    `size ${size} in ${info.objects} objects`,
    `order ${info.order} (${bytesText(info.object_size as number)} objects)`,
    `snapshot_count: ${info.snapshot_count}`,
    info.id !== "" && `id: ${info.id}`,
    info.data_pool !== undefined && `data_pool: ${info.data_pool}`,
    `block_name_prefix: ${info.block_name_prefix}`,
    `format: ${info.format}`,
    info.features !== undefined && `features: ${names(info.features)}`,
    info.op_features !== undefined && `op_features: ${names(info.op_features)}`,
    info.flags !== undefined && `flags: ${names(info.flags)}`,
    info.group !== undefined && `group: ${info.group}`,
    info.create_timestamp !== undefined && `create_timestamp: ${info.create_timestamp}`,
    info.access_timestamp !== undefined && `access_timestamp: ${info.access_timestamp}`,
    info.modify_timestamp !== undefined && `modify_timestamp: ${info.modify_timestamp}`,
    info.protected !== undefined && `protected: ${info.protected === "true" ? "True" : "False"}`,
    info.snapshot_limit !== undefined && `snapshot_limit: ${info.snapshot_limit}`,
  ];
  const parent = info.parent as (ParentText & { overlap: number }) | undefined;
  if (parent !== undefined) {
    lines.push(`parent: ${parentSpec(parent)}${parent.trash ? ` (trash ${parent.id})` : ""}`);
    lines.push(`overlap: ${bytesText(parent.overlap)}`);
  }
  if (info.stripe_unit !== undefined) {
    lines.push(`stripe unit: ${bytesText(info.stripe_unit as number)}`, `stripe count: ${info.stripe_count}`);
  }
  const shown = lines.filter((line) => line !== false).map((line) => `\t${line}\n`);
  return `rbd image '${info.name}':\n${shown.join("")}`;
}

export function parentSpec({ pool, pool_namespace, image, snapshot }: ParentText): string {
  return `${pool}/${pool_namespace && `${pool_namespace}/`}${image}@${snapshot}`;
}

export async function parentText(
  cluster: Cluster,
  link: { poolId: number; namespace: string; imageId: string; snapId: number },
): Promise<ParentText> {
  const pool = cluster.pools.get(link.poolId) ?? String(link.poolId);
  const images = await ImagePool.open(cluster, pool, { namespace: link.namespace });
  const { name, trash, header } = await images.lookUp(link.imageId);
  const snapshot = header.snapshots.get(link.snapId);
  const { namespace } = snapshot ?? {};
  return {
    ...{ pool, pool_namespace: link.namespace, image: name, id: link.imageId },
    ...{ snapshot: namespace?.type === "trash" ? namespace.originalName : (snapshot?.name ?? ""), trash },
  };
}

function objectsOf({ size, header: { objectSize, stripeUnit, stripeCount } }: Image): number {
  const set = objectSize * stripeCount;
  const sets = Math.floor(size / set);
  const rest = size - sets * set;
  return (
    sets * stripeCount +
    (stripeCount === 1 ? Math.ceil(rest / set) : Math.min(stripeCount, Math.ceil(rest / stripeUnit)))
  );
}

function opFeatureNames(features: number): string[] {
  const names: [keyof typeof opFeature, string][] = [
    ["cloneParent", "clone-parent"],
    ["cloneChild", "clone-child"],
    ["group", "group"],
    ["snapTrash", "snap-trash"],
  ];
  return names.filter(([feature]) => (features & opFeature[feature]) !== 0).map(([, name]) => name);
}

function flagNames(flags: number): string[] {
  return [
    ...((flags & imageFlag.objectMapInvalid) !== 0 ? ["object map invalid"] : []),
    ...((flags & imageFlag.fastDiffInvalid) !== 0 ? ["fast diff invalid"] : []),
  ];
}
