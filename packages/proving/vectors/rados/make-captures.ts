/**
 * Makes captures.json.gz: what a real monitor sends to a client in a session, for each protocol version without
 * authentication, because only such a session can be replayed. Run: `node make-captures.ts`.
 */
import { writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { LocalCluster } from "@siphon/lab";
import { NoneAuthenticator } from "../../../rados/src/auth/authenticator.ts";
import { Messenger } from "../../../rados/src/messenger/messenger.ts";
import { MonClient } from "../../../rados/src/mon/client.ts";
import { recording } from "../../../rados/test/support/transports.ts";
import type { Capture } from "../../../rados/test/vectors/captures.ts";

const captures: Record<string, { mon: Capture["mon"]; bytes: string }> = {};
for (const msgr of ["v1", "v2"] as const) {
  await using cluster = await LocalCluster.up({
    name: `captures-${msgr}`,
    ...{ mons: 1, osds: 2, pgs: 4, replicas: 2, store: "memstore", auth: "none", msgr },
  });
  const type = msgr === "v1" ? "legacy" : "msgr2";
  const mon = { type, nonce: 0, family: 4, address: "127.0.0.1", port: await monPort(cluster) } as const;
  const parts: Buffer[] = [];
  const messenger = new Messenger({
    modes: { mon: ["crc"], osd: ["crc"], mgr: ["crc"] },
    openTransport: recording((bytes) => parts.push(bytes)),
  });
  const authenticator = new NoneAuthenticator({ type: "client", id: "admin" });
  const arrived = Promise.withResolvers<void>();
  const nothing = () => {};
  const events = { monmap: nothing, osdmap: nothing, config: nothing, mgrmap: () => arrived.resolve() };
  const client = new MonClient(
    messenger,
    authenticator,
    { candidates: [{ name: "mon.a", addrs: [mon] }] },
    events,
  );
  for (const what of ["osdmap", "config", "mgrmap"]) client.subscribe(what);
  await client.open(30_000);
  await arrived.promise;
  await client.command(JSON.stringify({ prefix: "status", format: "json" }), undefined, "status");
  await client.newestVersion("osdmap");
  client.close();
  messenger.close();
  captures[msgr] = { mon, bytes: Buffer.concat(parts).toString("base64") };
}
await writeFile(
  new URL("../../../rados/test/vectors/captures.json.gz", import.meta.url),
  gzipSync(JSON.stringify(captures), { level: 9 }),
);

async function monPort(cluster: LocalCluster): Promise<number> {
  const status = (await cluster.daemon("mon.a", "mon_status")) as MonStatus;
  return Number(status.monmap.mons[0]!.public_addrs.addrvec[0]!.addr.split(":").at(-1));
}

interface MonStatus {
  monmap: { mons: { public_addrs: { addrvec: { addr: string }[] } }[] };
}
