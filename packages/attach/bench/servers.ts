import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { closeQuietly } from "../src/vhost/native/event.ts";
import { connectTo } from "../src/vhost/native/socket.ts";

/** An image to be served. */
export interface Served {
  /** ceph.conf of the client; it says whether the connection is encrypted. */
  conf: string;
  pool: string;
  image: string;
  socket: string;
}

/** A process that serves an image. */
export class Serving implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #end: () => void;

  constructor(child: ChildProcess, end: () => void) {
    this.#process = child;
    this.#end = end;
  }

  /** Of all its threads, user and system, in hundredths of a second; source: proc(5). */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, "utf8");
    const [user, system] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13) as [string, string];
    return (Number(user) + Number(system)) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#end();
    await exited;
  }
}

/** This project's server. */
export async function serveSiphon(
  { conf, pool, image, socket }: Served,
  transport: "vhost" | "nbd",
): Promise<Serving> {
  const child = fork(new URL("serve.ts", import.meta.url), [conf, `${pool}/${image}`, transport, socket]);
  await Promise.race([once(child, "message"), died(child, "siphon's server")]);
  return new Serving(child, () => child.send("end"));
}

/** QEMU's storage daemon over librbd, with a vhost-user-blk export; as shipped, or with tcmalloc. */
export async function serveQemu({ conf, pool, image, socket }: Served, tcmalloc: boolean): Promise<Serving> {
  rmSync(socket, { force: true });
  const node = {
    driver: "rbd",
    "node-name": "image",
    pool,
    image,
    user: "admin",
    conf,
    cache: { direct: true },
  };
  const exported = {
    ...{ type: "vhost-user-blk", id: "export", "node-name": "image", writable: true },
    ...{ addr: { type: "unix", path: socket } },
  };
  const args = ["--blockdev", JSON.stringify(node), "--export", JSON.stringify(exported)];
  const env = { ...process.env, ...(tcmalloc && { LD_PRELOAD: tcmallocLibrary }) };
  const child = spawn("qemu-storage-daemon", args, { env, stdio: ["ignore", "ignore", "inherit"] });
  await Promise.race([listening(socket), died(child, "qemu-storage-daemon")]);
  return new Serving(child, () => child.kill("SIGTERM"));
}

const tcmallocLibrary = "/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4";

export const hasTcmalloc = existsSync(tcmallocLibrary);

async function listening(socket: string): Promise<void> {
  for (;;) {
    if (existsSync(socket)) break;
    await sleep(50);
  }
  // It exists a moment before it is listened at.
  for (;;) {
    try {
      closeQuietly(connectTo(socket));
      return;
    } catch {
      await sleep(50);
    }
  }
}

async function died(child: ChildProcess, what: string): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`${what} ended with exit code ${code}`);
}
