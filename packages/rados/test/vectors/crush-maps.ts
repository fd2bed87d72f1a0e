import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** A CRUSH map as crushtool compiles it, and where crushtool places what. */
export interface CrushVector {
  devices: number;
  /** The one device that is out. */
  out: number;
  /** How many devices are wanted. */
  size: number;
  /** In base64. */
  map: string;
  placements: [rule: number, x: number, osds: number[]][];
}

/** Made by make-crush-maps.ts. */
export function crushVectors(): CrushVector[] {
  const compressed = readFileSync(new URL("crush-maps.json.gz", import.meta.url));
  return JSON.parse(gunzipSync(compressed).toString());
}
