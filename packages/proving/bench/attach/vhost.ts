import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FrontEnd } from "../../../attach/test/support/front-end.ts";
import type { Contender, Contest, Ground, Load, Sample } from "./contender.ts";
import { loadMemory, RingLoad } from "./ring-load.ts";
import { Serving, siphonAttach } from "./serving.ts";

/** Our vhost-user-blk server against qemu-storage-daemon's export over librbd, under the same rings. */
export const vhostContest: Contest = {
  name: "vhost-user-blk",
  peer: "qemu-storage-daemon",
  goal: 0.4,
  async ours(ground, image) {
    const socket = join(ground.directory, `siphon-${image}`);
    return underRings(
      "siphon attach",
      await siphonAttach(ground, image, ["--vhost", socket], socket),
      ground.size,
    );
  },
  async theirs(ground, image) {
    return underRings("qemu-storage-daemon", await qemuStorageDaemon(ground, image), ground.size);
  },
};

/**
 * An image served by QEMU's daemon, over librbd.
 *
 * @param options more of the image's node
 */
export function qemuStorageDaemon(
  { pool, conf, directory }: Ground,
  image: string,
  options: object = {},
  args: readonly string[] = [],
): Promise<Serving> {
  const socket = join(directory, `qemu-${image}`);
  const disk = { driver: "rbd", "node-name": "disk", pool, image, user: "admin", conf };
  const node = { ...disk, cache: { direct: true }, ...options };
  const addr = { type: "unix", path: socket };
  const exported = { type: "vhost-user-blk", id: "export", "node-name": "disk", writable: true, addr };
  const call = [...args, "--blockdev", JSON.stringify(node), "--export", JSON.stringify(exported)];
  return Serving.start("qemu-storage-daemon", call, socket);
}

/** Seconds of load before the measurement. */
const warmup = 1;

export function underRings(name: string, serving: Serving, span: number): Contender {
  return {
    name,
    run: (load) => runRings(name, serving, serving.socket, span, load),
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
}

/** @param socket of a disk that the program serves */
export async function runRings(
  name: string,
  serving: Serving,
  socket: string,
  span: number,
  { rw, blockSize, depth, seconds }: Load,
): Promise<Sample> {
  const load = { type: rw === "randread" ? "read" : "write", size: blockSize, depth, span } as const;
  using frontEnd = await FrontEnd.connect(socket, { memoryBytes: loadMemory(load, 1) });
  const running = new RingLoad(frontEnd, load);
  await sleep(warmup * 1000);
  running.reset();
  const [cpu, begun] = [serving.cpu, performance.now()];
  await sleep(seconds * 1000);
  const { requests } = running;
  const spent = serving.cpu - cpu;
  const iops = requests / ((performance.now() - begun) / 1000);
  await running.stop();
  if (requests === 0 || running.errors > 0) {
    throw new Error(`${name} answered ${requests} requests, ${running.errors} of them with errors`);
  }
  return { iops, cpu: (spent * 1e6) / requests, p99: running.latency.percentile(99) / 1e6 };
}
