import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Reader } from "@siphon/wire";
import { readMonMap } from "../../src/mon/monmap.ts";

const run = promisify(execFile);

test("a map made by monmaptool is read, names in the order of ranks", async () => {
  const directory = await mkdtemp(join(tmpdir(), "siphon-monmap-"));
  try {
    const path = join(directory, "monmap");
    const fsid = "3fa1f1d2-7d3e-4b52-9c7a-2f5b0b6a9d11";
    const mons = ["z", "[v2:192.0.2.1:3300,v1:192.0.2.1:6789]", "a", "[v2:[2001:db8::1]:3300]"];
    const [first, firstAddrs, second, secondAddrs] = mons as [string, string, string, string];
    await run("monmaptool", ["--create", "--fsid", fsid, "--addv", first, firstAddrs, path]);
    await run("monmaptool", ["--addv", second, secondAddrs, path]);
    const map = readMonMap(new Reader(await readFile(path), "monmap"));
    const { stdout } = await run("monmaptool", ["--print", path]);
    const ranks = [...stdout.matchAll(/^(\d+): .* mon\.(\w+)$/gm)].map(([, , name]) => name);
    assert.equal(map.fsid, fsid);
    assert.deepEqual(
      map.mons.map(({ name }) => name),
      ranks,
    );
    const z = map.mons.find(({ name }) => name === "z")!;
    assert.deepEqual(
      z.addrs.map(({ type, address, port }) => [type, address, port]),
      [
        ["msgr2", "192.0.2.1", 3300],
        ["legacy", "192.0.2.1", 6789],
      ],
    );
    assert.equal(map.mons.find(({ name }) => name === "a")!.addrs[0]!.address, "2001:db8::1");
  } finally {
    await rm(directory, { recursive: true });
  }
});
