import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { ImagePool } from "@siphon/rbd";
import { cases } from "./interrupted/cases.ts";
import { rbdIn } from "./interrupted/rbd.ts";

/** Kills what is long at random points, many times each; `rbd` and we must be able to deal with what is left. */
const { values: args } = parseArgs({
  options: { rounds: { type: "string", default: "100" }, cases: { type: "string" } },
});
const worker = fileURLToPath(new URL("./interrupted/worker.ts", import.meta.url));

await using local = await LocalCluster.up({
  ...{ name: `soak-interrupted-${process.pid}`, osds: 1, replicas: 1, store: "memstore", pgs: 8 },
});
const { pool } = local.spec;
await using cluster = await Cluster.connect({ conf: local.conf, name: "client.admin" });
const images = await ImagePool.open(cluster, pool);
const rbd = rbdIn(local.conf, pool);
for (const name of args.cases?.split(",") ?? Object.keys(cases)) {
  let killed = 0;
  for (let round = 0; round < Number(args.rounds); round++) {
    await cases[name]!.prepare(rbd);
    if (await killAtRandom(name)) killed++;
    await cases[name]!.finish(images, rbd);
  }
  console.log(`${name}: ${killed} of ${args.rounds} killed on the way, all of them brought to an end`);
}

/** Whether it was killed before its end. */
async function killAtRandom(name: string): Promise<boolean> {
  const stdio = ["ignore", "pipe", "ignore"] as const;
  const child = spawn(process.execPath, [worker, name, local.conf, pool], { stdio: [...stdio] });
  const ended = once(child, "exit") as Promise<[number | null]>;
  await Promise.race([once(child.stdout!, "data"), ended]);
  await Promise.race([ended, sleep(Math.random() * 400)]);
  child.kill("SIGKILL");
  return (await ended)[0] === null;
}
