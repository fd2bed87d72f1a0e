import { NO_SNAP } from "@siphon/rados";
import { readUtime, type Utime, utimeToMilliseconds } from "@siphon/wire";
import { type ClassCall, change, query } from "./class-call.ts";

/** Methods about the image as a whole, called on its header (src/cls/rbd/cls_rbd.cc). */

/** create: u64 size, u8 order, u64 features, string object prefix, i64 data pool (-1: the image's own). */
export function createImage(
  size: number,
  order: number,
  features: number,
  objectPrefix: string,
  dataPoolId: number | undefined,
): ClassCall {
  return change("create", (w) =>
    w
      .u64(size)
      .u8(order)
      .u64(features)
      .string(objectPrefix)
      .u64(dataPoolId ?? -1),
  );
}

/** get_size: u64 snapshot -> u8 order, u64 size. */
export function getSize(snapId = NO_SNAP): ClassCall<{ order: number; size: number }> {
  return query(
    "get_size",
    (r) => ({ order: r.u8(), size: r.u64Number() }),
    (w) => w.u64(snapId),
  );
}

export function setSize(size: number): ClassCall {
  return change("set_size", (w) => w.u64(size));
}

/** get_features: u64 snapshot, u8 whether only to read -> u64 features, u64 those that must be understood. */
export function getFeatures(readOnly: boolean): ClassCall<{ features: number; incompatible: number }> {
  return query(
    "get_features",
    (r) => ({ features: r.u64Number(), incompatible: r.u64Number() }),
    (w) => w.u64(NO_SNAP).bool(readOnly),
  );
}

/** set_features: u64 features, u64 mask; EINVAL for features that cannot be changed. */
export function setFeatures(features: number, mask: number): ClassCall {
  return change("set_features", (w) => w.u64(features).u64(mask));
}

/** get_flags: u64 snapshot -> u64 flags. */
export function getFlags(snapId = NO_SNAP): ClassCall<number> {
  return query(
    "get_flags",
    (r) => r.u64Number(),
    (w) => w.u64(snapId),
  );
}

/** set_flags: u64 flags, u64 mask, u64 snapshot. */
export function setFlags(flags: number, mask: number, snapId = NO_SNAP): ClassCall {
  return change("set_flags", (w) => w.u64(flags).u64(mask).u64(snapId));
}

export const getOpFeatures: ClassCall<number> = query("op_features_get", (r) => r.u64Number());

/** op_features_set: u64 features, u64 mask. */
export function setOpFeatures(features: number, mask: number): ClassCall {
  return change("op_features_set", (w) => w.u64(features).u64(mask));
}

export const getObjectPrefix: ClassCall<string> = query("get_object_prefix", (r) => r.string());

/** i64: -1 if the data is in the image's own pool. */
export const getDataPool: ClassCall<number> = query("get_data_pool", (r) => r.i64Number());

/** get_stripe_unit_count: u64 unit, u64 count; ENOEXEC without feature striping. */
export const getStriping: ClassCall<{ stripeUnit: number; stripeCount: number }> = query(
  "get_stripe_unit_count",
  (r) => ({ stripeUnit: r.u64Number(), stripeCount: r.u64Number() }),
);

export function setStriping(stripeUnit: number, stripeCount: number): ClassCall {
  return change("set_stripe_unit_count", (w) => w.u64(stripeUnit).u64(stripeCount));
}

/**
 * sparsify, on an object of data: u64 bytes of a block, u8 whether an object without data is removed. Frees blocks of
 * zeros, aligned to the object's start.
 */
export function sparsifyObject(sparseSize: number, removeEmpty: boolean): ClassCall {
  return change("sparsify", (w) => w.u64(sparseSize).bool(removeEmpty));
}

export const getCreated: ClassCall<Date> = query("get_create_timestamp", (r) => date(readUtime(r)));
export const getAccessed: ClassCall<Date> = query("get_access_timestamp", (r) => date(readUtime(r)));
export const getModified: ClassCall<Date> = query("get_modify_timestamp", (r) => date(readUtime(r)));

/** Sets the OSD's time; ENOENT without a header. */
export const setAccessed: ClassCall = change("set_access_timestamp");
export const setModified: ClassCall = change("set_modify_timestamp");

export function date(time: Utime): Date {
  return new Date(utimeToMilliseconds(time));
}
