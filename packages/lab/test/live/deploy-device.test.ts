import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspectFunction, objection, parseInspections } from "../../src/deploy/device.ts";
import { parseInventory } from "../../src/deploy/inventory.ts";
import { claiming, removing } from "../../src/deploy/marker.ts";
import { place } from "../../src/deploy/placement.ts";
import { script } from "../../src/deploy/script.ts";
import { run } from "../../src/host/command.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-device-"));
const image = join(dir, "disk.img");
await run("truncate", ["--size=2G", image]);
const attached = await run("losetup", ["--find", "--show", image], { anyExitCode: true });
const device = attached.stdout.trim();
after(async () => {
  if (device) await run("losetup", ["--detach", device]);
  rmSync(dir, { recursive: true, force: true });
});
const options = { skip: device ? false : `no loop device: ${attached.stderr.trim()}` };

const shell = (lines: string[]) => run("sh", ["-s"], { input: script(lines) });
const objectionNow = async (mayWipe = false) => {
  const { stdout } = await shell([...inspectFunction, `inspect ${device}`]);
  return objection({ device }, parseInspections(stdout.split("\n"))[0], mayWipe);
};
/** The bytes at the places of BlueStore's labels. */
const labels = (text: string) =>
  shell(
    ["0", "262144"].map(
      (block) => `printf '${text}' | dd of=${device} bs=4096 seek=${block} conv=notrunc status=none`,
    ),
  );
const firstBytes = async () => {
  const look = (block: number) => `dd if=${device} bs=4096 skip=${block} count=1 status=none | tr -d '\\000'`;
  return (await shell([look(0), look(262144)])).stdout;
};

test(
  "a block device goes to an OSD when it is blank, or may be wiped, and comes back blank",
  options,
  async () => {
    const home = join(dir, "deployed");
    const osds = [{ device }];
    const inventory = parseInventory({
      hosts: [{ name: "one", address: "192.0.2.1", directory: home, mon: true, osds }],
    });
    const [placement] = place(inventory);
    const claim = { fsid: crypto.randomUUID(), name: "lab" };
    assert.equal(await objectionNow(), undefined);

    await run("mkfs.ext4", ["-q", device]);
    assert.equal(await objectionNow(), `${device} holds data (ext4)`);
    const mount = join(dir, "mount");
    mkdirSync(mount);
    await run("mount", [device, mount]);
    assert.equal(await objectionNow(true), `${device} is in use: ${device} is mounted on ${mount}`);
    await run("umount", [mount]);
    assert.equal(await objectionNow(true), undefined);

    await shell(claiming(placement, claim, [{ host: "one", path: device }]));
    assert.equal(await objectionNow(), undefined);

    await labels(`bluestore block device\\n${placement.osds[0].uuid}\\n`);
    assert.match((await objectionNow())!, /holds data/);
    await shell(removing(home, claim));
    assert.equal(await objectionNow(), undefined);
    assert.equal(await firstBytes(), "");
  },
);
