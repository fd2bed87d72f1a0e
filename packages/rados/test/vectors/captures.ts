import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { EntityAddr } from "@siphon/wire";

/** All that a monitor sent in one session. */
export interface Capture {
  /** Where the monitor was: it says so, and the client insists. */
  mon: EntityAddr;
  bytes: Buffer;
}

/** Made by make-captures.ts. */
export function captures(): Record<"v1" | "v2", Capture> {
  const compressed = readFileSync(new URL("captures.json.gz", import.meta.url));
  const parsed = JSON.parse(gunzipSync(compressed).toString());
  const decode = ({ mon, bytes }: { mon: EntityAddr; bytes: string }): Capture => ({
    mon,
    bytes: Buffer.from(bytes, "base64"),
  });
  return { v1: decode(parsed.v1), v2: decode(parsed.v2) };
}
