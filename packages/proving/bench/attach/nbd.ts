import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Contender, Contest, Load, Sample } from "./contender.ts";
import { Serving, siphonAttach } from "./serving.ts";

const exec = promisify(execFile);

/** Our NBD server against qemu-nbd over librbd, under fio's nbd engine. */
export const nbdContest: Contest = {
  name: "nbd",
  peer: "qemu-nbd",
  goal: 0.5,
  async ours(ground, image) {
    const socket = join(ground.directory, `siphon-${image}`);
    const serving = await siphonAttach(ground, image, ["--nbd", socket], socket);
    return underFio("siphon attach", serving, `${ground.pool}/${image}`, ground.size);
  },
  async theirs(ground, image) {
    const socket = join(ground.directory, `qemu-${image}`);
    const disk = `rbd:${ground.pool}/${image}:id=admin:conf=${ground.conf}`;
    const shared = ["--persistent", "--shared=8", "--discard=unmap", "--cache=none", "--format=raw"];
    const serving = await Serving.start("qemu-nbd", [...shared, "-x", "disk", "-k", socket, disk], socket);
    return underFio("qemu-nbd", serving, "disk", ground.size);
  },
};

function underFio(name: string, serving: Serving, exportName: string, size: number): Contender {
  const uri = `nbd+unix:///${exportName}?socket=${serving.socket}`;
  return {
    name,
    async run(load: Load): Promise<Sample> {
      const before = serving.cpu;
      const { ios, iops, p99 } = await fio(uri, size, load);
      return { iops, p99, cpu: ((serving.cpu - before) / ios) * 1e6 };
    },
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
}

interface FioDirection {
  total_ios: number;
  iops: number;
  clat_ns: { percentile: Record<string, number> };
}

/** The whole run counts, including its start, so that the server's CPU covers all operations. */
async function fio(
  uri: string,
  size: number,
  load: Load,
): Promise<{ ios: number; iops: number; p99: number }> {
  const { stdout } = await exec(
    "fio",
    [
      ...["--name=bench", "--ioengine=nbd", `--uri=${uri}`, `--rw=${load.rw}`, `--bs=${load.blockSize}`],
      ...[`--size=${size}`, `--iodepth=${load.depth}`, `--runtime=${load.seconds}`, "--time_based"],
      ...["--norandommap", "--randrepeat=0", "--output-format=json"],
    ],
    { maxBuffer: 16 << 20 },
  );
  const { jobs } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    jobs: [{ error: number; read: FioDirection; write: FioDirection }];
  };
  const [job] = jobs;
  if (job.error !== 0) throw new Error(`fio failed with errno ${job.error}`);
  const { total_ios: ios, iops, clat_ns: latency } = load.rw === "randread" ? job.read : job.write;
  return { ios, iops, p99: latency.percentile["99.000000"]! / 1e6 };
}
