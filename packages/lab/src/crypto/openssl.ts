import { LabError } from "../errors.ts";
import { lastWords, run } from "../host/command.ts";
import type { Direction } from "./results.ts";

export interface OpensslOptions {
  direction: Direction;
  /** Bytes a block. */
  size: number;
  /** Whole seconds. */
  seconds: number;
  signal?: AbortSignal;
}

/** Result of `openssl speed -evp aes-128-gcm`, in bytes per second of CPU time. */
export async function opensslSpeed({ direction, size, seconds, signal }: OpensslOptions): Promise<number> {
  const args = ["speed", "-mr", "-evp", "aes-128-gcm", "-bytes", `${size}`, "-seconds", `${seconds}`];
  if (direction === "decrypt") args.push("-decrypt");
  const result = await run("openssl", args, { signal, timeoutMs: seconds * 10_000 + 60_000 });
  const speed = parseSpeed(result.stdout);
  if (speed !== undefined) return speed;
  throw new LabError("SIPHON_PROGRAM_FAILED", `openssl speed gave no figure: ${lastWords(result)}`);
}

/**
 * The machine-readable line of the result. Source: apps/speed.c of OpenSSL.
 *
 *     +F:25:AES-128-GCM:4164432161.62
 */
export function parseSpeed(text: string): number | undefined {
  const speed = Number(/^\+F:\d+:[^:]+:([\d.]+)$/m.exec(text)?.[1]);
  return speed > 0 ? speed : undefined;
}

/** "OpenSSL 3.0.19 27 Jan 2026"; undefined where there is none. */
export async function opensslVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run("openssl", ["version"]);
    return stdout.replace(/ \(Library.*/s, "").trim();
  } catch {
    return undefined;
  }
}
