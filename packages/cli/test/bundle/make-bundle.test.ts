import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "siphon-bundle-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const cache = join(dir, "cache");
const launcher = "packages/cli/bin/siphon.js";
const sources = "packages/cli/src/main.ts";

/** Runs siphon in a checkout, with a cache of its own. */
function siphon(checkout: string, program: string, args: readonly string[], nodeOptions = "") {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout, program), ...args], {
    cwd: dir,
    env: { ...process.env, SIPHON_CACHE_DIR: cache, NO_COLOR: "1", NODE_OPTIONS: nodeOptions },
    encoding: "utf8",
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

/** The directory of the newest bundle of a checkout. */
function newest(checkout: string): string {
  const bundles = join(cache, "bundle", checkout, "packages/cli/bin");
  const { main } = JSON.parse(readFileSync(join(bundles, "manifest.json"), "utf8")) as { main: string };
  return join(bundles, main, "..");
}

/** A checkout with sources of its own; other packages are those of this one. */
function copyCheckout(name: string, leaveOut: readonly string[] = []): string {
  const copy = join(dir, name);
  for (const each of readdirSync(join(root, "packages"))) {
    for (const part of ["package.json", "src", "bin"]) {
      const from = join(root, "packages", each, part);
      if (existsSync(from)) cpSync(from, join(copy, "packages", each, part), { recursive: true });
    }
  }
  cpSync(join(root, "scripts/packages.json"), join(copy, "scripts/packages.json"));
  mkdirSync(join(copy, "node_modules/@siphon"), { recursive: true });
  for (const each of readdirSync(join(root, "node_modules"))) {
    if (each.startsWith(".") || each === "@siphon" || leaveOut.includes(each)) continue;
    symlinkSync(join(root, "node_modules", each), join(copy, "node_modules", each));
  }
  for (const each of readdirSync(join(copy, "packages"))) {
    symlinkSync(join(copy, "packages", each), join(copy, "node_modules/@siphon", each));
  }
  return copy;
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, "utf8");
  assert.ok(text.includes(from));
  writeFileSync(path, text.replace(from, to));
}

/** The modules that a command line loads, builtin ones left out. */
function loaded(program: string, args: readonly string[]): string[] {
  const list = join(dir, "loaded");
  const hooks = join(dir, "hooks.mjs");
  writeFileSync(list, "");
  writeFileSync(
    hooks,
    `import { appendFileSync } from "node:fs";
     import { registerHooks } from "node:module";
     registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + "\\n"); return next(url, context); } });`,
  );
  siphon(root, program, args, `--import=${pathToFileURL(hooks)}`);
  return readFileSync(list, "utf8")
    .split("\n")
    .filter((url) => url.startsWith("file:"));
}

const noCluster = ["rbd", "info", "pool/image", "--conf", "/nowhere/ceph.conf"];

test("a bundle prints and exits as the sources do", () => {
  for (const args of [
    ["--help"],
    ["rbd", "--help"],
    ["rbd", "info", "--help"],
    ["rados", "--help"],
    ["ladder", "--rungs", "nvme"],
    ["completion", "bash"],
    ["report", join(root, "docs/results/ladder.json"), "--out", join(dir, "report")],
    ["nope"],
    noCluster,
  ]) {
    assert.deepEqual(siphon(root, launcher, args), siphon(root, sources, args), args.join(" "));
  }
});

test("rbd info loads neither the lab nor a library but commander, and from the bundle no module at all", () => {
  const foreign = (path: string) =>
    path.includes("packages/lab/") ||
    path.includes("packages/attach/") ||
    /node_modules\/(?!commander)/.test(path);
  const fromSources = loaded(sources, noCluster);
  assert.ok(fromSources.some((url) => url.endsWith("packages/rbd/src/image.ts")));
  assert.deepEqual(fromSources.filter(foreign), []);

  siphon(root, launcher, noCluster);
  const started = [launcher, "packages/cli/src/cache.js"].map((path) => `${pathToFileURL(join(root, path))}`);
  assert.deepEqual(loaded(launcher, noCluster), started);
});

test("what was compiled of the bundle is kept for each command, and taken the next time", () => {
  const copy = copyCheckout("compiling");
  for (const args of [
    ["rbd", "info", "--help"],
    ["rbd", "ls", "--help"],
    ["rbd", "info", "--help"],
    ["--help"],
  ]) {
    const { status, stderr } = siphon(copy, launcher, args);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  }
  const kept = readdirSync(newest(copy)).filter((name) => name.startsWith("compiled"));
  assert.deepEqual(kept.sort(), ["compiled", "compiled-rbd-info", "compiled-rbd-ls"]);

  const compiled = join(newest(copy), "compiled-rbd-info");
  const before = readFileSync(compiled);
  writeFileSync(compiled, "not what V8 wrote");
  assert.match(siphon(copy, launcher, ["rbd", "info", "--help"]).stdout, /^Usage: siphon rbd info/);
  assert.ok(readFileSync(compiled).length > before.length / 2);
});

test("a bundle is made once, and anew when a source has changed, even to something as long", () => {
  const copy = copyCheckout("changing");
  assert.match(siphon(copy, launcher, ["--help"]).stdout, /measured and made fast/);
  const first = newest(copy);
  assert.match(siphon(copy, launcher, ["--help"]).stdout, /measured and made fast/);
  assert.equal(newest(copy), first);

  edit(join(copy, sources), "measured and made fast", "measured and made slow");
  assert.match(siphon(copy, launcher, ["--help"]).stdout, /measured and made slow/);
  assert.notEqual(newest(copy), first);

  const packages = join(copy, "scripts/packages.json");
  writeFileSync(packages, `${readFileSync(packages, "utf8")}\n`);
  const second = newest(copy);
  siphon(copy, launcher, ["--help"]);
  assert.notEqual(newest(copy), second);
});

test("a failure that nobody expected shows its place in the sources", () => {
  const copy = copyCheckout("failing");
  const file = join(copy, "packages/cli/src/commands/completion.ts");
  edit(
    file,
    "const script = scripts[shell];",
    "const script = scripts[shell]!;\nthrow new TypeError('a bug');",
  );
  const line =
    readFileSync(file, "utf8")
      .split("\n")
      .findIndex((text) => text.startsWith("throw")) + 1;
  const { status, stderr } = siphon(copy, launcher, ["completion", "bash"]);
  assert.equal(status, 1);
  assert.match(stderr, /^siphon: unexpected failure: TypeError: a bug\n/);
  assert.ok(stderr.includes(`${file}:${line}:`), stderr);
  assert.ok(existsSync(newest(copy)));
});

test("without esbuild, and with a cache that cannot be written, the sources run", () => {
  const copy = copyCheckout("bare", ["esbuild"]);
  assert.match(siphon(copy, launcher, ["--help"]).stdout, /measured and made fast/);
  assert.ok(!existsSync(join(cache, "bundle", copy, "packages/cli/bin/manifest.json")));

  const other = copyCheckout("uncached");
  mkdirSync(join(cache, "bundle", other), { recursive: true });
  writeFileSync(join(cache, "bundle", other, "packages"), "a file where the directory is to be");
  assert.deepEqual(siphon(other, launcher, ["--version"]), { status: 0, stdout: "0.1.0\n", stderr: "" });
});
