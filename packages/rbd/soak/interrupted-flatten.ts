import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";

/**
 * Kills `siphon rbd flatten` and `siphon rbd import-diff` at random points; then `rbd` must be able to list the image, and, in
 * turn, `rbd` or we to do it again to its end, after which the image holds what it should.
 */
const { values: args } = parseArgs({ options: { rounds: { type: "string", default: "100" } } });
const execute = promisify(execFile);
const main = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));

await using cluster = await LocalCluster.up({
  ...{ name: `soak-interrupted-${process.pid}`, osds: 1, replicas: 1, store: "memstore", pgs: 8 },
  // Killed clients are soon forgotten.
  settings: { osd_client_watch_timeout: 2 },
});
const { pool } = cluster.spec;
const directory = await mkdtemp(join(tmpdir(), "siphon-interrupted-"));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(directory, { recursive: true }));
const diff = join(directory, "diff");
const [parent, image] = [`${pool}/parent`, `${pool}/image`];
const where = ["--conf", cluster.conf, "--name", "client.admin"];
const programs = { rbd: ["rbd"], siphon: [process.execPath, main, "rbd"] };

await rbd(
  "create",
  parent,
  "--size",
  "64M",
  "--image-feature",
  "layering,exclusive-lock,object-map,fast-diff",
);
await rbd("bench", parent, "--io-type", "write", "--io-size", "1M", "--io-total", "64M");
await rbd("snap", "create", `${parent}@one`, "--no-progress");
await rbd("snap", "protect", `${parent}@one`);
await rbd("export-diff", `${parent}@one`, diff, "--no-progress");
const expected = await checksum(`${parent}@one`);

const cases = {
  flatten: { make: ["clone", `${parent}@one`, image], act: ["flatten", image, "--no-progress"] },
  "import-diff": {
    make: ["create", image, "--size", "64M"],
    act: ["import-diff", diff, image, "--no-progress"],
  },
};
for (const [name, { make, act }] of Object.entries(cases)) {
  let killed = 0;
  for (let round = 0; round < Number(args.rounds); round++) {
    await rbd(...make);
    if (await killAtRandom(act)) killed++;
    await rbd("info", image);
    const [program, ...before] = round % 2 === 0 ? programs.siphon : programs.rbd;
    await execute(program!, [...before, ...act, ...where]).catch((error: { stderr: string }) => {
      // It may have got to its end before: there is no parent, or the snapshot is there already.
      if (!/no parent|does not have a parent|Invalid argument|exists|already/.test(error.stderr)) throw error;
    });
    const found = await checksum(image);
    if (found !== expected) throw new Error(`${name}, round ${round}: the image holds something else`);
    await rbd("snap", "purge", image, "--no-progress");
    await removeOnceUnwatched();
  }
  console.log(`${name}: ${killed} of ${args.rounds} killed on the way, all of them ended or done again`);
}

/** Whether it was killed before its end. */
async function killAtRandom(act: string[]): Promise<boolean> {
  const [program, ...before] = programs.siphon;
  const child = spawn(program!, [...before, ...act, ...where], { stdio: "ignore" });
  const ended = once(child, "exit") as Promise<[number | null]>;
  await Promise.race([ended, sleep(300 + Math.random() * 900)]);
  child.kill("SIGKILL");
  return (await ended)[0] === null;
}

/** The killed client counts as a watcher until its time is over. */
async function removeOnceUnwatched(): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rbd("rm", image, "--no-progress");
      return;
    } catch (error) {
      if (attempt === 20 || !/still has watchers/.test((error as { stderr: string }).stderr)) throw error;
      await sleep(1000);
    }
  }
}

async function rbd(...words: string[]): Promise<string> {
  return (await execute("rbd", [...words, ...where])).stdout;
}

async function checksum(spec: string): Promise<string> {
  const script = 'rbd export "$0" - --no-progress --conf "$1" --name client.admin | sha1sum';
  return (await execute("sh", ["-c", script, spec, cluster.conf])).stdout;
}
