import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import type { UnnamedModule } from "../../../src/profile/profile.ts";
import { describeUnnamed, symbolAdvice } from "../../../src/profile/symbols/unnamed.ts";

const noDpkg = existsSync("/usr/bin/dpkg-query") ? false : "no dpkg here";

test("a stripped program is traced to its package and version", { skip: noDpkg }, async () => {
  const [fio, ...others] = await describeUnnamed(new Map([["/usr/bin/fio", 20]]), 100);
  assert.equal(fio.share, 20);
  assert.equal(fio.package?.name, "fio");
  assert.equal(fio.package.symbols, "fio-dbgsym");
  assert.match(fio.package.version, /^\d/);
  assert.deepEqual(others, []);
});

test("a file with symbols, or with few frames, is not reported", async () => {
  const counts = new Map([
    [process.execPath, 50],
    ["/usr/bin/fio", 1],
  ]);
  assert.deepEqual(await describeUnnamed(counts, 1000), []);
});

test("advice names the files and the packages of exactly their versions", () => {
  const advice = symbolAdvice([
    unnamed("librbd.so.1", "librbd1", "16.2.15+ds-0"),
    unnamed("fio", "fio", "3.33-3"),
  ]);
  assert.match(advice[0], /^30 % of all frames have no function name.* librbd\.so\.1, fio /);
  assert.ok(advice.some((line) => line.includes("DEBUGINFOD_URLS")));
  assert.ok(advice.some((line) => line.includes("librbd1-dbgsym=16.2.15+ds-0 fio-dbgsym=3.33-3")));
  assert.deepEqual(symbolAdvice([]), []);
});

test("on a system with rpm the advice is dnf's", () => {
  const module = unnamed("librbd.so.1", "librbd", "2:16.2.9-1.el8");
  module.package!.symbols = "librbd-debuginfo";
  const advice = symbolAdvice([module]);
  assert.ok(advice.some((line) => line.includes("dnf debuginfo-install librbd")));
  assert.ok(!advice.some((line) => line.includes("apt-get")));
});

function unnamed(file: string, name: string, version: string): UnnamedModule {
  return { file: `/usr/lib/${file}`, share: 15, package: { name, version, symbols: `${name}-dbgsym` } };
}
