import { open, stat } from "node:fs/promises";
import type { LocalCluster } from "./local-cluster.ts";

/** How an OSD says that a connection is protected. */
export type WireMode = "crc" | "secure";

/**
 * The modes that clients' connections to the OSDs came up in while `work` ran, as the OSDs themselves log
 * them: what a client asked for need not be what it got. Only messenger v2 has modes. The OSDs log their
 * connections during the work and no longer, since that costs CPU.
 */
export async function observeWireModes<T>(
  cluster: LocalCluster,
  work: () => Promise<T>,
): Promise<{ result: T; modes: Set<WireMode> }> {
  const osds = cluster.daemons.map(({ name }) => name).filter((name) => name.startsWith("osd."));
  const logs = osds.map((name) => cluster.resource.path(`${name}.log`));
  const offsets = await Promise.all(logs.map(async (log) => (await stat(log)).size));
  await Promise.all(osds.map((name) => setDebugMs(cluster, name, "1/1")));
  let result: T;
  try {
    result = await work();
  } finally {
    await Promise.all(osds.map((name) => setDebugMs(cluster, name, "0/0")));
  }
  const texts = await Promise.all(logs.map((log, index) => readFrom(log, offsets[index])));
  return { result, modes: new Set(texts.flatMap(modesIn)) };
}

/**
 * `--2- ADDRESS >> PEER conn(... secure :-1 s=READY ...).ready entity=client.4110 ...`, from ProtocolV2::ready
 * in Ceph's src/msg/async/ProtocolV2.cc.
 */
export function modesIn(log: string): WireMode[] {
  const ready = /--2- .* conn\(\S+ \S+ (crc|secure) .*\)\.ready entity=client\./g;
  return [...log.matchAll(ready)].map(([, mode]) => mode as WireMode);
}

async function setDebugMs(cluster: LocalCluster, name: string, level: string): Promise<void> {
  await cluster.daemon(name, { prefix: "config set", var: "debug_ms", val: [level] });
}

async function readFrom(path: string, offset: number): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const bytes = Buffer.alloc(Math.max(0, size - offset));
  await file.read(bytes, 0, bytes.length, offset);
  return bytes.toString("latin1");
}
