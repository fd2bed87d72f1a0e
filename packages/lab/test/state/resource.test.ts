import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { clean, removeOwn } from "../../src/clean.ts";
import { LabError } from "../../src/errors.ts";
import { processId } from "../../src/host/proc.ts";
import { RESOURCE_VARIABLE, Resource } from "../../src/state/resource.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-resource-"));
process.env.SIPHON_STATE_DIR = dir;
after(() => rmSync(dir, { recursive: true, force: true }));

const codeOf = (code: string) => (error: unknown) => error instanceof LabError && error.code === code;

test("a resource is found by its name, and its name is taken until it is removed", async () => {
  const made = await Resource.create("vms", "one", { color: "blue" });
  await made.note({ size: 3 });
  const found = (await Resource.find("vms", "one"))!;
  assert.deepEqual(found.details, { color: "blue", size: 3 });
  assert.ok(!found.stale && !found.kept);
  await assert.rejects(Resource.create("vms", "one"), codeOf("SIPHON_IN_USE"));
  await found.remove();
  assert.equal(await Resource.find("vms", "one"), undefined);
});

test("details noted at the same time all arrive", async () => {
  await using resource = await Resource.create("vms", "busy");
  await Promise.all(["a", "b", "c", "d"].map((key) => resource.note({ [key]: key })));
  const found = (await Resource.find("vms", "busy"))!;
  assert.deepEqual(found.details, { a: "a", b: "b", c: "c", d: "d" });
});

test("names that could leave the state directory are refused", async () => {
  for (const name of ["", "..", "a/b", "-x", "x".repeat(64)]) {
    await assert.rejects(Resource.create("vms", name), codeOf("SIPHON_USAGE"), name);
  }
});

test("disposing removes a resource with its processes, but not one that is kept", async () => {
  let child: ReturnType<typeof spawn>;
  {
    await using resource = await Resource.create("work", "scoped");
    child = spawn("sleep", ["60"], { env: { ...process.env, ...resource.environment } });
    await once(child, "spawn");
  }
  assert.equal(processId(child.pid!), undefined);
  {
    await using resource = await Resource.create("work", "kept");
    await resource.keep();
  }
  const kept = (await Resource.find("work", "kept"))!;
  assert.ok(kept.kept);
  await kept.remove();
});

test("clean removes what a killed owner left, with every process started for it, and nothing else", async () => {
  const script = `
    import { spawn } from "node:child_process";
    import { Resource } from ${JSON.stringify(join(import.meta.dirname, "../../src/state/resource.ts"))};
    const resource = await Resource.create("clusters", "orphan");
    const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore", env: { ...process.env, ...resource.environment } });
    process.send(child.pid);
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [daemonPid] = (await once(owner, "message")) as [number];
  await using mine = await Resource.create("clusters", "mine");
  assert.deepEqual(await clean(), [], "its owner still runs");

  owner.kill("SIGKILL");
  await once(owner, "exit");
  const planned = await clean({ dryRun: true });
  assert.deepEqual(
    planned.map(({ name, pids }) => ({ name, pids })),
    [{ name: "orphan", pids: [daemonPid] }],
  );
  assert.ok(processId(daemonPid), "a dry run ends nothing");

  assert.equal((await clean()).length, 1);
  assert.equal(processId(daemonPid), undefined);
  assert.equal(await Resource.find("clusters", "orphan"), undefined);
  assert.ok(existsSync(mine.dir));
});

test("clean copes with a resource whose maker died before its lease was written", async () => {
  mkdirSync(join(dir, "vms", "half"), { recursive: true });
  assert.deepEqual(
    (await clean()).map(({ name }) => name),
    ["half"],
  );
});

test("clean keeps resources that are being created, and removes unfinished ones", async () => {
  let cleaning = true;
  const cleaner = (async () => {
    while (cleaning) assert.deepEqual(await clean(), []);
  })();
  for (let turn = 0; turn < 50; turn++) {
    await using resource = await Resource.create("clusters", "starting");
    const child = spawn("sleep", ["60"], { env: { ...process.env, ...resource.environment } });
    await once(child, "spawn");
    await setImmediate();
    assert.ok(processId(child.pid!), `the program of turn ${turn} was ended`);
    assert.ok(existsSync(resource.path("lease.json")));
  }
  cleaning = false;
  await cleaner;
  const left = join(dir, "clusters", ".unfinished-1234567-1-uuid");
  mkdirSync(left);
  assert.equal((await Resource.list("clusters")).length, 0);
  await clean();
  assert.ok(!existsSync(left));
});

test("a process that ends removes its own resources, also those that it is removing at that moment", async () => {
  for (let turn = 0; turn < 20; turn++) {
    const resource = await Resource.create("clusters", "ending");
    for (let file = 0; file < 100; file++) writeFileSync(resource.path(`f${file}`), "");
    const removing = resource.remove().catch(() => {});
    await setImmediate();
    await removeOwn();
    assert.deepEqual(readdirSync(join(dir, "clusters")), []);
    await removing;
  }
});

test("clean ends programs whose resource was removed by hand", async () => {
  const child = spawn("sleep", ["60"], {
    env: { ...process.env, [RESOURCE_VARIABLE]: join(dir, "vms", "gone") },
  });
  await once(child, "spawn");
  await clean();
  assert.equal(processId(child.pid!), undefined);
});
