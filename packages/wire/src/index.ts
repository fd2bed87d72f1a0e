/**
 * Bytes: a cursor reader and writer, versioned structs, crc32c, rjenkins, and the base of all errors.
 *
 * @module @siphon/wire
 */

export { ChecksumBuffer, crc32c } from "./crc32c.ts";
export {
  blankAddr,
  type EntityAddr,
  type EntityAddrType,
  entityAddrTypes,
  FEATURE_MSG_ADDR2,
  readEntityAddr,
  readEntityAddrVec,
  skipEntityAddrVec,
  writeEntityAddr,
  writeEntityAddrVec,
} from "./entity-addr.ts";
export { type ErrnoName, errno, errnoName, errnoNumber } from "./errno.ts";
export { adviceOf, type Remedy, SiphonError, type SiphonErrorOptions } from "./errors.ts";
export { formatIPv6, parseIPv4, parseIPv6 } from "./ip-address.ts";
export { type LegacyStart, Reader } from "./reader.ts";
export { crushHash2, crushHash3, crushHash4, strHashRjenkins } from "./rjenkins.ts";
export { Secret } from "./secret.ts";
export { parseBytes } from "./size.ts";
export { longestTimer } from "./timer.ts";
export { readUtime, type Utime, utimeFromMilliseconds, utimeToMilliseconds, writeUtime } from "./utime.ts";
export { readUuid, writeUuid } from "./uuid.ts";
export { version } from "./version.ts";
export type { WasmFunction, WebAssemblyApi } from "./wasm.ts";
export { type Code, op, type WasmMemory, type WasmModule, wasmModule, webAssembly } from "./wasm.ts";
export { WireError, type WireErrorCode } from "./wire-error.ts";
export { Writer } from "./writer.ts";
