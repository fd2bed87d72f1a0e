import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { forgetMapping, listMappings, recordMapping, startTime } from "../../src/device/mappings.ts";

const base = mkdtempSync(join(tmpdir(), "siphon-mappings-"));
after(() => rmSync(base, { recursive: true }));
const directory = join(base, "devices");
const mapping = { pool: "rbd", namespace: "", image: "vm1", snapshot: "" };
const fileOf = (device: string) => join(directory, `${device}.json`);

test("without anything mapped there is nothing to list, and no directory needed", async () => {
  assert.deepEqual(await listMappings(directory), []);
});

test("devices are listed by their numbers, with the process that serves them", async () => {
  for (const device of ["/dev/nbd10", "/dev/nbd2"]) await recordMapping(directory, { ...mapping, device });
  const own = { pid: process.pid, startTime: await startTime(process.pid) };
  assert.deepEqual(
    await listMappings(directory),
    ["/dev/nbd2", "/dev/nbd10"].map((device) => ({ ...own, ...mapping, device })),
  );
});

test("a process that is gone is passed over, also where another one has its id", async () => {
  const recorded = JSON.parse(readFileSync(fileOf("nbd2"), "utf8"));
  writeFileSync(fileOf("nbd2"), JSON.stringify({ ...recorded, startTime: "1" }));
  assert.deepEqual(
    (await listMappings(directory)).map(({ device }) => device),
    ["/dev/nbd10"],
  );
});

test("other files are ignored", async () => {
  const recorded = JSON.parse(readFileSync(fileOf("nbd10"), "utf8"));
  writeFileSync(fileOf("nbd3"), "{");
  writeFileSync(fileOf("nbd4"), JSON.stringify(recorded));
  writeFileSync(fileOf("nbd5"), JSON.stringify({ ...recorded, device: "/dev/sda" }));
  writeFileSync(fileOf("nbd6"), "null");
  writeFileSync(
    fileOf("nbd8"),
    JSON.stringify({ ...recorded, device: "/dev/nbd8", pid: 2 ** 30, startTime: undefined }),
  );
  writeFileSync(join(directory, "nbd7.json~1"), JSON.stringify(recorded));
  assert.equal((await listMappings(directory)).length, 1);
});

test("a mapping is forgotten by its own process only", async () => {
  const recorded = JSON.parse(readFileSync(fileOf("nbd10"), "utf8"));
  writeFileSync(fileOf("nbd10"), JSON.stringify({ ...recorded, pid: process.ppid }));
  await forgetMapping(directory, "/dev/nbd10");
  assert.ok(readFileSync(fileOf("nbd10")));
  writeFileSync(fileOf("nbd10"), JSON.stringify(recorded));
  await forgetMapping(directory, "/dev/nbd10");
  assert.throws(() => readFileSync(fileOf("nbd10")), { code: "ENOENT" });
});
