import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pidsWithEnvironment } from "../../../lab/src/host/proc.ts";
import { RESOURCE_VARIABLE } from "../../../lab/src/state/resource.ts";

/** An interrupted soak leaves nothing behind: no daemon, no program, no file. */

/** The soaks, and the number of programs each one runs at least before it is interrupted. A soak without programs makes files. */
const soaks = [
  { script: "rbd/faults.ts", args: ["--only", "fights"], programs: 5 },
  { script: "rbd/interrupted.ts", args: ["--only", "rm"], programs: 4 },
  { script: "rbd/differential.ts", args: [], programs: 4 },
  { script: "rbd/commands.ts", args: [], programs: 4 },
  { script: "attach/attach.ts", args: ["--kills", "50"], programs: 5 },
  { script: "attach/hostile-guest.ts", args: [], programs: 0 },
  { script: "rados/rados.ts", args: [], programs: 4 },
  { script: "rados/tickets.ts", args: [], programs: 4 },
  { script: "rados/placements.ts", args: [], programs: 0 },
] as const;

describe("interrupted", { concurrency: 2 }, () => {
  for (const [index, { script, args, programs }] of soaks.entries()) {
    const signal = (["SIGINT", "SIGTERM", "SIGHUP"] as const)[index % 3]!;
    test(`${script} leaves nothing behind (${signal})`, async () => {
      const state = mkdtempSync(join(tmpdir(), "s"));
      const path = new URL(`../../soak/${script}`, import.meta.url).pathname;
      const soak = spawn(process.execPath, [path, ...args], {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, SIPHON_STATE_DIR: state },
      });
      let said = "";
      soak.stderr.on("data", (bytes) => {
        said += bytes;
      });
      const closed = once(soak, "close");
      try {
        while (programs > 0 ? started(state).length < programs : !hasFiles(state)) {
          assert.equal(soak.exitCode, null, said);
          await sleep(50);
        }
        soak.kill(signal);
        const [code] = await closed;
        assert.equal(code, { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal], said);
        assert.deepEqual(started(state), []);
        assert.deepEqual(left(state), []);
      } finally {
        await ended(soak, closed);
        rmSync(state, { recursive: true, force: true });
      }
    });
  }
});

function started(state: string): number[] {
  return pidsWithEnvironment(RESOURCE_VARIABLE, (dir) => dir.startsWith(`${state}/`));
}

/** Whether the soak is running: one without programs has files in its temporary directory. */
function hasFiles(state: string): boolean {
  const work = join(state, "work");
  const folders = existsSync(work) ? readdirSync(work).map((name) => join(work, name, "t")) : [];
  return folders.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
}

/** Directories of resources that are still there. */
function left(state: string): string[] {
  return readdirSync(state).flatMap((kind) =>
    readdirSync(join(state, kind)).map((name) => `${kind}/${name}`),
  );
}

async function ended(soak: ChildProcess, closed: Promise<unknown>): Promise<void> {
  soak.kill("SIGKILL");
  await closed;
}
