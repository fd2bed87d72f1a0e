import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { LabError } from "../errors.ts";
import { LOOPBACK } from "./settings.ts";

/** Below the range from which Linux takes the local ports of outgoing connections, and above Ceph's own. */
const LOWEST = 10_000;
const HIGHEST = 32_000;

/**
 * Ports of an address of this machine on which no program listens. They are not reserved: the caller must handle a port
 * that is taken meanwhile, and ask again.
 */
export async function freePorts(count: number, address = LOOPBACK): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; tries < 1_000 && ports.size < count; tries++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port, address)) ports.add(port);
  }
  if (ports.size === count) return [...ports];
  throw new LabError(
    "SIPHON_IN_USE",
    `no ${count} free ports between ${LOWEST} and ${HIGHEST} on ${address}`,
  );
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen({ port, host, exclusive: true });
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
