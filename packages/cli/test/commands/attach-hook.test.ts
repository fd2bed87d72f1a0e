import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { AttachError, ControlServer, type DiskStatus } from "@siphon/attach";
import { disksOfNotes } from "../../src/commands/attach/hook.ts";
import { main } from "../support/programs.ts";

test("the notes of a Proxmox VM name its disks; the sections of its snapshots do not count", () => {
  const text =
    "#a VM\n#siphon image=pool/vm1 limit=iops%3D100,bps=1M\n#siphonage\n#siphon name=data image=pool/data\ncores: 2\n\n[old]\n#siphon image=pool/old\n";
  assert.deepEqual(disksOfNotes(text, "100"), [
    { name: "vm-100-0", words: { image: "pool/vm1", limit: "iops=100,bps=1M" } },
    { name: "data", words: { image: "pool/data" } },
  ]);
  assert.equal(disksOfNotes("#siphon image=pool/b%C3%BCro\n", "100")[0]!.words.image, "pool/büro");
  assert.throws(() => disksOfNotes("#siphon pool/vm1\n", "100"), /pool\/vm1, which is not NAME=VALUE/);
  // The last one would win.
  const twice = "#siphon image=pool/a image=pool/b\n";
  assert.throws(() => disksOfNotes(twice, "100"), /the notes of VM 100 repeat image in one line/);
});

const directory = mkdtempSync(join(tmpdir(), "siphon-hook-"));
after(() => rmSync(directory, { recursive: true }));

const mine =
  "<domain><metadata><s:attach xmlns:s='urn:siphon:attach'><s:disk name='a' target='vda' image='p/a'/></s:attach></metadata></domain>";

/** A service with the disk `a`, which a VM uses until the service has been asked this many times. */
async function serviceWith(name: string, uses: number) {
  const path = join(directory, name);
  let left = uses;
  const removed: boolean[] = [];
  const disk = () =>
    ({
      ...{ name: "a", image: "p/a", state: "serving", persistent: false, connections: left-- > 0 ? 1 : 0 },
      points: [{ image: "p/a", size: 512, point: { kind: "vhost", path: "/run/a.sock", readOnly: false } }],
    }) as unknown as DiskStatus;
  const service = {
    known: Promise.resolve(),
    list: async () => [disk()],
    show: async () => disk(),
    remove: async (_: string, isForced: boolean) => {
      if (left-- > 0 && !isForced) {
        const remedy = { name: "force-removal", subject: "a" };
        throw new AttachError("SIPHON_ATTACH_DISK", "a client is connected to a", { remedy });
      }
      removed.push(isForced);
    },
  };
  const server = await ControlServer.listen(
    path,
    service as unknown as Parameters<typeof ControlServer.listen>[1],
    () => {},
  );
  return { path, removed, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function hook(control: string, operation: string): Promise<{ status: number; stderr: string }> {
  const call = [main, "attach", "hook", "libvirt", "vm1", operation, "begin", "-", "--control", control];
  const child = spawn(process.execPath, call, { stdio: ["pipe", "ignore", "pipe"] });
  child.stdin.end(mine);
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  return { status, stderr };
}

test("a disk is removed once its VM has released it, and never from another VM", async () => {
  await using leaves = await serviceWith("leaves", 3);
  assert.deepEqual(await hook(leaves.path, "release"), { status: 0, stderr: "" });
  assert.deepEqual(leaves.removed, [false]);
  await using stays = await serviceWith("stays", Number.POSITIVE_INFINITY);
  const { status, stderr } = await hook(stays.path, "release");
  assert.equal(status, 0);
  assert.match(stderr, /a stays attached: another client is connected/);
  assert.deepEqual(stays.removed, []);
});

test("a VM does not start with the disk of another VM", async () => {
  await using free = await serviceWith("free", 3);
  assert.deepEqual(await hook(free.path, "prepare"), { status: 0, stderr: "" });
  await using used = await serviceWith("used", Number.POSITIVE_INFINITY);
  const { status, stderr } = await hook(used.path, "prepare");
  assert.equal(status, 1);
  assert.match(stderr, /another VM uses the service's disk a \(p\/a\)/);
});

test("a hook ignores domains without a disk of siphon's, and other events", () => {
  const hook = (operation: string, xml: string) =>
    spawnSync(process.execPath, [main, "attach", "hook", "libvirt", "vm1", operation, "begin", "-"], {
      ...{ encoding: "utf8", input: xml },
    });
  assert.equal(hook("prepare", "<domain><name>vm1</name></domain>").status, 0);
  assert.equal(hook("started", "<x urn:siphon:attach").status, 0);
  const { status, stderr } = hook("prepare", mine);
  assert.equal(status, 1);
  assert.match(stderr, /no service answers at \/run\/siphon\/attachd\.sock/);
});
