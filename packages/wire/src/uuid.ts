import type { Reader } from "./reader.ts";
import { WireError } from "./wire-error.ts";
import type { Writer } from "./writer.ts";

/** A uuid_d (16 bytes) as the usual text in lower case. */
export function readUuid(r: Reader): string {
  const hex = r.raw(16).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * Writes a UUID as 16 bytes, from its text with hyphens.
 *
 * @throws WireError SIPHON_WIRE_RANGE for invalid text
 */
export function writeUuid(w: Writer, uuid: string): void {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) {
    throw new WireError("SIPHON_WIRE_RANGE", `not a UUID: ${uuid}`);
  }
  w.raw(Buffer.from(uuid.replaceAll("-", ""), "hex"));
}
