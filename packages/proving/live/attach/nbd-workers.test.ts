import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { createImage, LocalCluster } from "@siphon/lab";
import { NbdClient } from "../../../attach/test/support/nbd-client.ts";
import { certificates } from "../../support/attach/certificates.ts";
import { run } from "../../support/attach/run.ts";
import { SiphonAttach } from "../../support/attach/siphon-attach.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-nbd-workers-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");

const pool = "libvirt-pool";
const image = `${pool}/disk`;
const socket = join(directory, "nbd.sock");
const uri = `nbd+unix:///${image}?socket=${socket}`;
const MiB = 1 << 20;
const size = 32 * MiB;

describe("siphon attach --workers", () => {
  let ceph: LocalCluster;
  let server: SiphonAttach | undefined;
  const file = join(directory, "bytes");

  before(async () => {
    const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
    ceph = await LocalCluster.up({ name: "nbd-workers", ...spec });
    await createImage(ceph.admin, { image: "disk", size });
    writeFileSync(file, randomFillSync(Buffer.alloc(size)));
    await attach("--nbd", socket);
  });

  after(async () => {
    await server?.kill();
    await ceph?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  async function attach(...args: string[]): Promise<void> {
    await server?.kill();
    server = await SiphonAttach.start(image, "--workers", "2", ...args, "--conf", ceph.conf);
  }

  const rbd = (...args: string[]) => run("rbd", ["-c", ceph.conf, ...args]);

  /** The content of an image as rbd exports it. */
  async function exported(spec: string): Promise<Buffer> {
    const to = join(directory, "exported");
    await rbd("export", "--no-progress", spec, to);
    const bytes = readFileSync(to);
    rmSync(to);
    return bytes;
  }

  test("each of a client's connections belongs to a worker, and librbd reads what all of them wrote", async () => {
    const before = cpuOfWorkers(server!.child.pid!);
    assert.equal(before.length, 2);
    const workBoth = () => cpuOfWorkers(server!.child.pid!).every((cpu, index) => cpu > before[index]!);
    do await run("nbdcopy", ["--connections=4", "--flush", file, uri]);
    while (!workBoth());
    assert.ok((await exported(image)).equals(readFileSync(file)));
    await run("nbdcopy", ["--connections=4", uri, join(directory, "back")]);
    assert.ok(readFileSync(join(directory, "back")).equals(readFileSync(file)));
    assert.match(await rbd("lock", "ls", image), /client\.\d+/);
  });

  test("every worker reports allocated extents and the changes since a snapshot", async () => {
    await rbd("snap", "create", `${image}@s`);
    await run("qemu-io", ["-f", "raw", "-c", "discard 8M 8M", "-c", "write -P 7 20M 4M", uri]);
    for (let connection = 0; connection < 2; connection++) {
      const map = JSON.parse(await run("nbdinfo", ["--json", "--map", uri])) as {
        offset: number;
        type: number;
      }[];
      assert.deepEqual(
        map.map(({ offset, type }) => [offset, type]),
        [
          [0, 0],
          [8 * MiB, 3],
          [16 * MiB, 0],
        ],
      );
    }
  });

  test("a snapshot and a new size by another client apply to all workers", async () => {
    await rbd("resize", "--no-progress", "--size", "40M", image);
    for (let connection = 0; connection < 2; connection++) {
      assert.equal((await run("nbdinfo", ["--size", uri])).trim(), String(40 * MiB));
    }
    const at = await exported(`${image}@s`);
    assert.ok(at.equals(readFileSync(file)));
  });

  test("a protocol error ends only the connection that made it, and the end drains all workers", async () => {
    const client = await NbdClient.connect(socket);
    await client.read(18);
    client.socket.write(Buffer.alloc(64, 0xff));
    await assert.rejects(client.read(1 << 20), /ended/);
    const copying = run("nbdcopy", ["--connections=4", file, uri]).catch(() => {});
    await server!.stop();
    await copying;
    assert.equal((await exported(image)).length, 40 * MiB);
    assert.match(server!.errors, /NBD client \d+: connection ended/);
  });

  test("the workers' statistics are one sum, and each worker speaks TLS itself", async () => {
    await using own = await certificates();
    const metricsSocket = join(directory, "metrics.sock");
    await attach("--nbd", "127.0.0.1:0", "--tls-certs", own.server, "--metrics", metricsSocket);
    const { port } = /\bport[=":]+(?<port>\d+)/.exec(server!.told[0]!.qemu.join(" "))!.groups!;
    const target = `nbds://127.0.0.1:${port}/${image}?tls-certificates=${own.client}`;
    await run("nbdcopy", ["--connections=2", "--request-size=65536", file, target]);
    const metrics = await page(metricsSocket);
    const writes = (name: string) => {
      const labels = '{image="libvirt-pool/disk",operation="write"}';
      return Number(new RegExp(`^siphon_attach_${name}${labels} (\\d+)$`, "m").exec(metrics)?.[1]);
    };
    assert.deepEqual([writes("operations_total"), writes("bytes_total")], [size / 65_536, size]);
    await server!.stop();
  });
});

function page(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: "/metrics" }, (response) => resolve(text(response))).on("error", reject);
  });
}

/** CPU time of each worker thread of a process, in hundredths of a second. */
function cpuOfWorkers(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, "latin1").trim();
    const [, name, rest] = /^\d+ \((.*)\) (.*)$/.exec(stat)!;
    const fields = rest!.split(" ");
    return name === "WorkerThread" ? [Number(fields[11]) + Number(fields[12])] : [];
  });
}
