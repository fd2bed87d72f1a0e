import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageRequest } from "@siphon/rbd/engine";
import { ByteBudget } from "../../src/server/byte-budget.ts";
import { VhostServer } from "../../src/vhost/server.ts";
import { FloodingGuest } from "./flooding-guest.ts";
import { FrontEnd } from "./front-end.ts";
import { GuestDriver } from "./guest-driver.ts";
import { MemoryDevice } from "./memory-device.ts";

export interface FloodOutcome {
  rounds: number;
  requests: number;
  powerOffs: number;
  resets: number;
  reconnects: number;
  /** MiB of memory outside of the heap, above what it was at first. */
  mostMemory: number;
  /** Milliseconds that a request of the other guest took at most. */
  longestWait: number;
}

/**
 * A guest that floods one disk, and stops with all rings full, while a good one uses another disk of the same process. Throws when
 * memory grows beyond the budget, or the good guest is kept waiting.
 *
 * @param isOver ends it before all rounds are done
 */
export async function floodRun(
  rounds: number,
  seed: number,
  progress: (done: number) => void = () => {},
  isOver: () => boolean = () => false,
): Promise<FloodOutcome> {
  const directory = mkdtempSync(join(tmpdir(), "siphon-flood-"));
  const budget = new ByteBudget();
  const flooded = new MemoryDevice({ size: 256 * MiB });
  flooded.read = slowly((request) => request.takeZeros(0, Math.min(request.length, 4096)));
  flooded.write = slowly((request) => request.fill(scratch, 0, 0, Math.min(request.length, 4096)));
  try {
    await using attacked = await VhostServer.listen({
      ...{ device: flooded, budget, patience: 20, socket: join(directory, "flooded.sock") },
    });
    await using good = await VhostServer.listen({
      ...{ device: new MemoryDevice({ size: 64 * MiB }), budget, socket: join(directory, "good.sock") },
    });
    using frontEnd = await FrontEnd.connect(good.socket);
    const driver = new GuestDriver(frontEnd);
    using guest = new FloodingGuest(attacked.socket, seed);
    const before = process.memoryUsage().arrayBuffers;
    let [mostMemory, longestWait, mostWork, done] = [0, 0, 0, false];
    const goodGuest = (async () => {
      while (!done) {
        const [begun, idle] = [performance.now(), process.cpuUsage()];
        assert.equal((await driver.read(0, 4 * MiB, 4096)).status, 0);
        longestWait = Math.max(longestWait, performance.now() - begun);
        const { user, system } = process.cpuUsage(idle);
        mostWork = Math.max(mostWork, (user + system) / 1000);
        mostMemory = Math.max(mostMemory, process.memoryUsage().arrayBuffers - before);
      }
    })();
    let round = 0;
    while (round < rounds && !isOver()) {
      await guest.round();
      progress(++round);
    }
    done = true;
    await goodGuest;
    const { powerOff: powerOffs, reset: resets, reconnect: reconnects } = guest.stops;
    const most = Math.round(mostMemory / MiB);
    // The guest's own memory is in this process, too, and is mapped twice.
    assert.ok(most < 400, `${most} MiB of memory`);
    // The clock counts the work of other programs as well.
    assert.ok(mostWork < 5_000, `a good guest waited while the process worked for ${mostWork} ms`);
    const { requests } = guest;
    return { rounds: round, requests, powerOffs, resets, reconnects, mostMemory: most, longestWait };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Some milliseconds later, as a busy cluster would. */
function slowly(work: (request: ImageRequest) => void): (request: ImageRequest) => void {
  return (request) => {
    setTimeout(() => {
      request.result = 0;
      work(request);
      request.completed();
    }, Math.random() * 20);
  };
}

const MiB = 1 << 20;
const scratch = Buffer.alloc(4096);
