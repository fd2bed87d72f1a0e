import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { ImagePool } from "@siphon/rbd";

/** Runs the programs in examples/ as a new user would. */

const run = promisify(execFile);
const pool = "libvirt-pool";
const mib = 2 ** 20;
const content = Buffer.concat([Buffer.alloc(6 * mib), Buffer.alloc(mib, "siphon"), Buffer.alloc(2 * mib)]);

let ceph: LocalCluster;
let directory: string;
const ending = new AsyncDisposableStack();

before(async () => {
  ceph = await LocalCluster.up({ name: "examples", osds: 1, replicas: 1, store: "memstore", pgs: 8 });
  ending.defer(() => ceph.down());
  directory = await mkdtemp(join(tmpdir(), "siphon-examples-"));
  ending.defer(() => rm(directory, { recursive: true }));
  await using cluster = await Cluster.connect({ conf: ceph.conf });
  const images = await ImagePool.open(cluster, pool);
  await images.create("disk", content.length);
  await using image = await images.open("disk");
  await image.write(0, content);
});

after(() => ending.disposeAsync());

test("read-image prints an image's size and checksum", async () => {
  const sum = createHash("sha256").update(content).digest("hex");
  const { stdout } = await example("read-image", pool, "disk");
  assert.equal(stdout, `${pool}/disk: ${content.length} bytes, sha256 ${sum}\n`);
});

test("watch-notify: one client hears another, and answers", async () => {
  const { stdout } = await example("watch-notify", pool, "meeting");
  assert.match(stdout, /^heard: hello\nclient\.\d+ answered: good morning\n0 watchers did not answer\n$/);
});

test("attach-nbd serves an image to QEMU, and closes the image when it is asked to end", async () => {
  const socket = join(directory, "disk.sock");
  const server = spawn(process.execPath, [file("attach-nbd"), `${pool}/disk`, socket], {
    env: environment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "exit");
  try {
    const [line] = await Promise.race([
      once(createInterface(server.stdout), "line"),
      ended.then(([code]) => assert.fail(`the server ended with ${code}`)),
    ]);
    assert.equal(line, `${pool}/disk: ${content.length} bytes at ${socket}`);
    const url = `nbd+unix:///${pool}%2Fdisk?socket=${socket}`;
    const commands = [`read -P 0 ${2 * mib} 4k`, `write -P 0x5a ${2 * mib} 4k`, "flush"];
    await run("qemu-io", ["-f", "raw", ...commands.flatMap((command) => ["-c", command]), url]);
  } finally {
    server.kill("SIGTERM");
  }
  assert.deepEqual(await ended, [0, null]);
  await using cluster = await Cluster.connect({ conf: ceph.conf });
  await using image = await (await ImagePool.open(cluster, pool)).open("disk", { readOnly: true });
  assert.deepEqual(await image.read(2 * mib, 4096), Buffer.alloc(4096, 0x5a));
  assert.deepEqual((await image.locks.list()).lockers, []);
});

test("examine-vm reports what is wrong with a VM's disk, and exits with 1", async () => {
  const xml = join(directory, "vm1.xml");
  await writeFile(
    xml,
    `<domain type='kvm'><name>vm1</name><memory unit='GiB'>2</memory><vcpu>4</vcpu>
<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='network' device='disk'><driver name='qemu' type='raw'/>
<source protocol='rbd' name='libvirt-pool/vm1'><host name='192.0.2.1' port='3300'/></source>
<target dev='hda' bus='ide'/></disk></devices></domain>`,
  );
  const { code, stdout } = await example("examine-vm", xml).catch((error) => error);
  assert.equal(code, 1);
  assert.match(stdout, /^vm1: First: /);
  assert.match(stdout, /ide/i);
});

function example(name: string, ...args: string[]) {
  return run(process.execPath, [file(name), ...args], { env: environment() });
}

function file(name: string): string {
  return fileURLToPath(new URL(`../../../../examples/${name}.ts`, import.meta.url));
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, CEPH_CONF: ceph.conf };
}
