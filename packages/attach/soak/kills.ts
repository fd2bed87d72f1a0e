/**
 * Kills the process that serves an RBD image again and again, under a load that knows what was acknowledged:
 * `node kills.ts [--kills N] [--nbd|--vhost]`. Ends with an error at the first request that fails, and at the first block that is older
 * than its last acknowledged write.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { surviveKills, type Transport } from "../test/support/survival.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    nbd: { type: "boolean", default: false },
    vhost: { type: "boolean", default: false },
  },
});
const both = values.nbd === values.vhost;
const transports: Transport[] = both ? ["nbd", "vhost"] : [values.nbd ? "nbd" : "vhost"];

await using stack = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), "siphon-soak-attach-"));
stack.defer(() => rm(directory, { recursive: true, force: true }));
const ceph = stack.use(
  await LocalCluster.up({
    ...{ name: `soak-attach-${process.pid}`, osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 },
    // So long the next server waits for the lock of the one that was killed.
    settings: { osd_client_watch_timeout: 6 },
  }),
);
for (const transport of transports) {
  const kills = Number(values.kills);
  const { acknowledged, verified } = await surviveKills(ceph, {
    ...{ transport, directory, kills },
    onKill: (killed, load) => {
      if (killed % 10 === 0)
        console.log(`${transport}: ${killed} kills, ${load.acknowledged} writes acknowledged`);
    },
  });
  console.log(
    `${transport}: ${kills} kills, ${acknowledged} writes acknowledged, 0 lost; ${verified} reads found what was written last`,
  );
}
