import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VhostServer } from "../../src/vhost/server.ts";
import { FrontEnd } from "./front-end.ts";
import { GuestDriver } from "./guest-driver.ts";
import { HostileGuest } from "./hostile-guest.ts";
import { MemoryDevice } from "./memory-device.ts";

export interface HostileOutcome {
  attacks: number;
  /** Rings given up, messages refused, sessions ended for what they sent. */
  faults: number;
  refusals: number;
  disconnects: number;
}

/**
 * Lets a hostile guest loose on one disk while a good one uses another disk of the same process, and looks after the good one all
 * along. Throws at the first sign of harm.
 *
 * @param isOver ends it before all attacks are done
 */
export async function hostileRun(
  attacks: number,
  seed: number,
  progress: (done: number) => void = () => {},
  isOver: () => boolean = () => false,
): Promise<HostileOutcome> {
  const directory = mkdtempSync(join(tmpdir(), "siphon-hostile-"));
  const outcome = { attacks: 0, faults: 0, refusals: 0, disconnects: 0 };
  try {
    await using attacked = await VhostServer.listen({
      device: new MemoryDevice({ size: 64 << 20 }),
      socket: join(directory, "attacked.sock"),
      report: ({ type }) => {
        if (type === "fault") outcome.faults++;
        else if (type === "refused") outcome.refusals++;
        else if (type === "disconnected") outcome.disconnects++;
      },
    });
    await using good = await VhostServer.listen({
      device: new MemoryDevice({ size: 64 << 20 }),
      socket: join(directory, "good.sock"),
    });
    using frontEnd = await FrontEnd.connect(good.socket);
    const driver = new GuestDriver(frontEnd);
    const hostile = new HostileGuest(attacked.socket, seed);
    let files = 0;
    for (; outcome.attacks < attacks && !isOver(); outcome.attacks++) {
      await hostile.attack();
      if (outcome.attacks % 200 !== 0) continue;
      await checkGood(frontEnd, driver);
      progress(outcome.attacks);
      if (outcome.attacks === 2000) files = openFiles();
    }
    if (files > 0) assert.ok(openFiles() < files + 50, "descriptors leak");
    hostile.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return outcome;
}

async function checkGood(frontEnd: FrontEnd, driver: GuestDriver): Promise<void> {
  const at = 4 << 20;
  const bytes = randomBytes(65536);
  frontEnd.memory.set(bytes, at);
  assert.equal((await driver.write(0, at, bytes.length)).status, 0);
  frontEnd.memory.fill(0, at, at + bytes.length);
  assert.equal((await driver.read(0, at, bytes.length)).status, 0);
  assert.ok(frontEnd.memory.subarray(at, at + bytes.length).equals(bytes), "the other disk has changed");
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
