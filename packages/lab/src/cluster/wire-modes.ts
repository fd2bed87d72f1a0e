import { open, stat } from "node:fs/promises";
import type { LocalCluster } from "./local-cluster.ts";

/** How an OSD says that a connection is protected. */
export type WireMode = "crc" | "secure";

/**
 * The modes of clients' connections to the OSDs during `work`, from the OSDs' logs, because a client may get another
 * mode than it requested. Only messenger v2 has modes. The OSDs log connections only during the work, because logging
 * costs CPU.
 */
export async function observeWireModes<T>(
  cluster: LocalCluster,
  work: () => Promise<T>,
): Promise<{ result: T; modes: Set<WireMode> }> {
  await using log = await ConnectionLog.open(cluster);
  const result = await work();
  await log.close();
  return { result, modes: await log.modes() };
}

/** The OSDs' log of clients' connections, from now until it is closed. */
export class ConnectionLog implements AsyncDisposable {
  readonly #cluster: LocalCluster;
  readonly #osds: { name: string; log: string; offset: number }[];
  #closed = false;

  private constructor(cluster: LocalCluster, osds: { name: string; log: string; offset: number }[]) {
    this.#cluster = cluster;
    this.#osds = osds;
  }

  static async open(cluster: LocalCluster): Promise<ConnectionLog> {
    const names = cluster.daemons.map(({ name }) => name).filter((name) => name.startsWith("osd."));
    const osds = await Promise.all(
      names.map(async (name) => {
        const log = cluster.resource.path(`${name}.log`);
        return { name, log, offset: (await stat(log)).size };
      }),
    );
    const opened = new ConnectionLog(cluster, osds);
    await opened.#setLevel("1/1");
    return opened;
  }

  /** The modes of the connections that have come up so far. */
  async modes(): Promise<Set<WireMode>> {
    return new Set((await this.byOsd()).flatMap((modes) => [...modes]));
  }

  /** The same, each OSD's by itself. */
  async byOsd(): Promise<Set<WireMode>[]> {
    const texts = await Promise.all(this.#osds.map(({ log, offset }) => readFrom(log, offset)));
    return texts.map((text) => new Set(modesIn(text)));
  }

  /** Ends the logging, which costs the OSDs CPU; the log stays readable. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#setLevel("0/0");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // An OSD that has died needs no more telling.
    await this.close().catch(() => {});
  }

  async #setLevel(level: string): Promise<void> {
    await Promise.all(this.#osds.map(({ name }) => setDebugMs(this.#cluster, name, level)));
  }
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
