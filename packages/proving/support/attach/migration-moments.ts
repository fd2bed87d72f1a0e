import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { MigratingVm } from "./migrating-vm.ts";

/** A moment of a migration, in order. */
export type Moment = (typeof moments)[number];

/** At each of these moments the destination may be lost. */
export const moments = [
  /** Before the source connects. */
  "listening",
  "setup",
  /** Percents of the memory that are sent. */
  "sent 10 %",
  "sent 30 %",
  "sent 50 %",
  "sent 70 %",
  "sent 90 %",
  /** The guest is stopped; its devices' state is not sent yet. */
  "stopped",
  /** While the devices' state is sent. */
  "devices",
  /** The destination has everything, and has not continued the guest yet. */
  "arrived",
] as const;

/** At these the source can still cancel. */
export const cancelMoments = moments.slice(
  moments.indexOf("setup"),
  moments.indexOf("stopped") + 1,
) as Moment[];

/** Starts a migration and resolves at the moment. */
export async function migrateUntil(source: MigratingVm, uri: string, moment: Moment): Promise<void> {
  const percent = /^sent (\d+) %$/.exec(moment)?.[1];
  // Slow enough to see the memory go, and fast enough to see it end while the guest changes it.
  const bandwidth = percent === undefined ? 2 ** 32 : 2 ** 26;
  await source.prepareMigration({ bandwidth, pausesBeforeSwitchover: true });
  if (moment === "listening") {
    // QEMU reports the refused connection in its answer or in an event, depending on its version.
    await source.qmp.execute("migrate", { uri }).catch(() => {});
    return;
  }
  if (percent !== undefined) {
    await source.qmp.execute("migrate", { uri });
    await sent(source, Number(percent) / 100);
    return;
  }
  const wanted = moment === "setup" ? "setup" : "pre-switchover";
  await migrateAndReach(source, "migrate", { uri }, wanted);
  const state = "pre-switchover";
  if (moment === "devices") await source.qmp.execute("migrate-continue", { state });
  if (moment === "arrived") await migrateAndReach(source, "migrate-continue", { state }, "completed");
}

async function migrateAndReach(
  source: MigratingVm,
  command: string,
  args: Record<string, unknown>,
  wanted: string,
): Promise<void> {
  const reached = source.migrationIs(wanted, "failed");
  reached.catch(() => {});
  await source.qmp.execute(command, args);
  assert.equal(await reached, wanted);
}

/** Resolves when this part of the memory is sent: at the latest before the guest is stopped for the rest. */
async function sent(source: MigratingVm, part: number): Promise<void> {
  for (;;) {
    const { status, ram } = await source.migrationStatus();
    assert.notEqual(status, "failed");
    if (status !== "setup" && status !== "active") return;
    if (ram !== undefined && 1 - ram.remaining / ram.total >= part) return;
    await pause(10);
  }
}
