/**
 * For programs that serve disks: requests to objects without a promise, a closure or a buffer for each.
 *
 * @module @siphon/rados/engine
 */

export type { WatchEvent, WatchNotify } from "./messages/watch-notify.ts";
export { type EvpFunctions, evpFunctions, fixedMemory, type Pointer } from "./messenger/evp-functions.ts";
export { createGcm, type GcmFill } from "./messenger/gcm.ts";
export type { GcmDirection, GcmStream } from "./messenger/gcm-stream.ts";
export { gcmTagBytes } from "./messenger/gcm-stream.ts";
export type { NonceCounter } from "./messenger/nonce.ts";
export { Region } from "./messenger/region.ts";
export type { OpenTransport, Transport, TransportEvents, TransportTarget } from "./messenger/transport.ts";
export type { RequestInFlight } from "./objecter/in-flight-table.ts";
export { Objecter } from "./objecter/objecter.ts";
export type { ObjecterListener } from "./objecter/objecter-host.ts";
export { opCode, opFlag, requestFlag } from "./objecter/op-code.ts";
export { OpList } from "./objecter/op-list.ts";
export { ObjectRequest } from "./objecter/request.ts";
export { ObjectTarget } from "./objecter/target.ts";
export type { Op } from "./objects/op.ts";
export { copyFrom } from "./objects/operations/copy.ts";
export { throwUnowned } from "./unowned.ts";
export { waitAtMost } from "./wait.ts";
