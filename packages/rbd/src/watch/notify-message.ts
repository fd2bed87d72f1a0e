import { Reader, WireError, Writer } from "@siphon/wire";
import { readNamespace, type SnapshotNamespace, writeNamespace } from "../cls/snapshot.ts";

/** One opened image of one client. */
export interface ClientId {
  readonly gid: bigint;
  /** Cookie of its watch on the header. */
  readonly handle: bigint;
}

/** A client's request to the owner of the lock. */
export interface RequestId extends ClientId {
  readonly request: bigint;
}

interface SnapshotTask {
  /** Name of the snapshot; for a rename, the new name. */
  readonly name: string;
  readonly namespace: SnapshotNamespace;
  /** `asyncComplete` reports the end; clients before Pacific lack it, and take the answer as the end. */
  readonly id: RequestId | undefined;
}

/** Messages between clients that have an image open, through its header (src/librbd/WatchNotifyTypes.cc). */
export type NotifyMessage =
  | { readonly type: "acquiredLock" | "releasedLock"; readonly client: ClientId }
  | { readonly type: "requestLock"; readonly client: ClientId; readonly force: boolean }
  | { readonly type: "headerUpdate" }
  | {
      readonly type: "asyncProgress";
      readonly id: RequestId;
      readonly offset: number;
      readonly total: number;
    }
  | { readonly type: "asyncComplete"; readonly id: RequestId; readonly result: number }
  | { readonly type: "flatten" | "rebuildObjectMap"; readonly id: RequestId }
  | { readonly type: "quiesce" | "unquiesce"; readonly id: RequestId }
  | { readonly type: "sparsify"; readonly id: RequestId; readonly sparseSize: number }
  | { readonly type: "resize"; readonly id: RequestId; readonly size: number; readonly allowShrink: boolean }
  | (SnapshotTask & { readonly type: "snapCreate"; readonly flags: number })
  | (SnapshotTask & { readonly type: "snapRemove" | "snapProtect" | "snapUnprotect" })
  | (SnapshotTask & { readonly type: "snapRename"; readonly snapId: number })
  | { readonly type: "rename"; readonly name: string; readonly id: RequestId | undefined }
  | {
      readonly type: "updateFeatures";
      readonly features: number;
      readonly enable: boolean;
      readonly id: RequestId | undefined;
    }
  | { readonly type: "unknown"; readonly op: number };

/** NotifyOp in src/librbd/WatchNotifyTypes.h. */
const opCodes = {
  acquiredLock: 0,
  releasedLock: 1,
  requestLock: 2,
  headerUpdate: 3,
  asyncProgress: 4,
  asyncComplete: 5,
  flatten: 6,
  resize: 7,
  snapCreate: 8,
  snapRemove: 9,
  rebuildObjectMap: 10,
  snapRename: 11,
  snapProtect: 12,
  snapUnprotect: 13,
  rename: 14,
  updateFeatures: 15,
  sparsify: 17,
  quiesce: 18,
  unquiesce: 19,
} as const;

type KnownType = keyof typeof opCodes;
const typesByCode = new Map(
  Object.entries(opCodes).map(([type, code]) => [code as number, type as KnownType]),
);

/**
 * NotifyMessage: versioned; u32 what, and then: the client (u64 number, u64 handle) of a lock message; u8 force; the request (a
 * client, u64 number), u64 done, u64 of all, or i32 result; u64 size, request, u8 whether to shrink; request, u64 bytes of a
 * sparsified block; u64 snapshot to be renamed, string name, namespace, request, u64 flags of a new snapshot; string new name of the
 * image, request; u64 features, u8 whether to enable them, request.
 */
export function encodeNotifyMessage(message: Exclude<NotifyMessage, { type: "unknown" }>): Buffer {
  return new Writer(96)
    .versioned(7, 1, (w) => {
      w.u32(opCodes[message.type]);
      switch (message.type) {
        case "acquiredLock":
        case "releasedLock":
          writeClient(w, message.client);
          break;
        case "requestLock":
          writeClient(w, message.client).bool(message.force);
          break;
        case "headerUpdate":
          break;
        case "asyncProgress":
          writeRequest(w, message.id).u64(message.offset).u64(message.total);
          break;
        case "asyncComplete":
          writeRequest(w, message.id).i32(message.result);
          break;
        case "flatten":
        case "rebuildObjectMap":
        case "quiesce":
        case "unquiesce":
          writeRequest(w, message.id);
          break;
        case "rename":
          writeRequest(w.string(message.name), message.id ?? noRequest);
          break;
        case "updateFeatures":
          writeRequest(w.u64(message.features).bool(message.enable), message.id ?? noRequest);
          break;
        case "sparsify":
          writeRequest(w, message.id).u64(message.sparseSize);
          break;
        case "resize":
          writeRequest(w.u64(message.size), message.id).bool(message.allowShrink);
          break;
        case "snapCreate":
          writeSnapshotTask(w, message).u64(message.flags);
          break;
        case "snapRemove":
        case "snapProtect":
        case "snapUnprotect":
          writeSnapshotTask(w, message);
          break;
        case "snapRename":
          writeSnapshotTask(w.u64(message.snapId), message);
          break;
      }
    })
    .finish();
}

/** @throws WireError for an invalid message */
export function decodeNotifyMessage(bytes: Buffer): NotifyMessage {
  // Very old clients and the kernel announce a change by an empty message.
  if (bytes.length === 0) return { type: "headerUpdate" };
  return new Reader(bytes, "notification of an image").versioned("NotifyMessage", 7, (r, version) => {
    const op = r.u32();
    const type = typesByCode.get(op);
    switch (type) {
      case undefined:
        return { type: "unknown", op };
      case "acquiredLock":
      case "releasedLock":
        return { type, client: version >= 2 ? readClient(r) : noRequest };
      case "requestLock":
        return { type, client: version >= 2 ? readClient(r) : noRequest, force: version >= 3 && r.bool() };
      case "headerUpdate":
        return { type };
      case "asyncProgress":
        return { type, id: readRequest(r), offset: r.u64Number(), total: r.u64Number() };
      case "asyncComplete":
        return { type, id: readRequest(r), result: r.i32() };
      case "flatten":
      case "rebuildObjectMap":
      case "quiesce":
      case "unquiesce":
        return { type, id: readRequest(r) };
      case "rename":
        return { type, name: r.string(), id: readLateRequest(r, version) };
      case "updateFeatures":
        return { type, features: r.u64Number(), enable: r.bool(), id: readLateRequest(r, version) };
      case "sparsify":
        return { type, id: readRequest(r), sparseSize: r.u64Number() };
      case "resize": {
        const size = r.u64Number();
        return { type, size, id: readRequest(r), allowShrink: version < 4 || r.bool() };
      }
      case "snapCreate":
        return { type, ...readSnapshotTask(r, version), flags: r.remaining < 8 ? 0 : r.u64Number() };
      case "snapRemove":
      case "snapProtect":
      case "snapUnprotect":
        return { type, ...readSnapshotTask(r, version) };
      case "snapRename":
        return { type, snapId: r.u64Number(), ...readSnapshotTask(r, version) };
    }
  });
}

/** ResponseMessage: versioned; i32 result. Only the lock's owner sends it; others acknowledge with an empty message. */
export function encodeResponse(result: number): Buffer {
  return new Writer(10).versioned(1, 1, (w) => w.i32(result)).finish();
}

/**
 * Undefined for an empty acknowledgement.
 *
 * @throws WireError for bytes that make no sense
 */
export function decodeResponse(bytes: Buffer): number | undefined {
  if (bytes.length === 0) return undefined;
  return new Reader(bytes, "answer to a notification").versioned("ResponseMessage", 1, (r) => r.i32());
}

/** The answer of a watcher. Any client that can read the header may watch it and send anything: an invalid answer is ignored. */
export function responseOf(payload: Buffer): number | undefined {
  try {
    return decodeResponse(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

export function requestKey({ gid, handle, request }: RequestId): string {
  return `${gid}/${handle}/${request}`;
}

function writeSnapshotTask(w: Writer, { name, namespace, id }: SnapshotTask): Writer {
  writeNamespace(w.string(name), namespace);
  return writeRequest(w, id ?? noRequest);
}

function readSnapshotTask(r: Reader, version: number): SnapshotTask {
  const name = r.string();
  const namespace = version >= 5 ? readNamespace(r) : userNamespace;
  return { name, namespace, id: readLateRequest(r, version) };
}

/** Within one version of the message, only some releases have the request. */
function readLateRequest(r: Reader, version: number): RequestId | undefined {
  return version >= 7 && r.remaining >= 24 ? readRequest(r) : undefined;
}

const userNamespace: SnapshotNamespace = { type: "user" };
const noRequest: RequestId = { gid: 0n, handle: 0n, request: 0n };

function writeClient(w: Writer, { gid, handle }: ClientId): Writer {
  return w.u64(gid).u64(handle);
}

function readClient(r: Reader): ClientId {
  return { gid: r.u64(), handle: r.u64() };
}

function writeRequest(w: Writer, id: RequestId): Writer {
  return writeClient(w, id).u64(id.request);
}

function readRequest(r: Reader): RequestId {
  return { ...readClient(r), request: r.u64() };
}
