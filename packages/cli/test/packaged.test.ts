import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { commands } from "../src/commands.ts";
import { main as packaged } from "./support/programs.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const sources = join(root, "packages/cli/bin/siphon.js");
let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), "siphon-packaged-"));
});
after(() => rmSync(dir, { recursive: true, force: true }));

interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
}

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Answer> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: dir,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: child.exitCode, stdout, stderr };
}

/** The help of every command according to the sources, by the words of the command. */
async function helps(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const program = new Command("siphon");
  const add = (path: string, command: Command) => {
    const writeOut = (text: string) => found.set(path, (found.get(path) ?? "") + text);
    command.configureOutput({ writeOut, getOutHasColors: () => false });
    command.outputHelp();
    // Refused commands are hidden, and print the refusal for any arguments.
    const shown = command.createHelp().visibleCommands(command);
    for (const child of shown) if (child.name() !== "help") add(`${path} ${child.name()}`, child);
  };
  for (const { name, summary, load } of commands) {
    const command = (await load([])).summary(summary);
    program.addCommand(command);
    add(name, command);
  }
  return found;
}

test("every command's packaged help is that of the sources", async () => {
  const found = await helps();
  assert.ok(found.size > 140, `${found.size} commands`);
  for (const [path, help] of found) {
    const { status, stdout, stderr } = await run(packaged, [...path.split(" "), "--help"]);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: help, stderr: "" }, path);
  }
});

test("answers and failures are the same from the sources and packaged", async () => {
  for (const args of [
    ["--help"],
    ["--version"],
    ["ladder", "--rungs", "floppy"],
    ["completion", "bash"],
    ["nope"],
    ["rbd", "info", "pool/image", "--conf", "/nowhere/ceph.conf"],
  ]) {
    const [first, second] = await Promise.all([run(sources, args), run(packaged, args)]);
    assert.deepEqual(second, first, args.join(" "));
  }
});

test("a report is the same from the sources and packaged, and is UTF-8", async () => {
  const results = join(root, "docs/results/ladder.json");
  for (const [program, out] of [
    [sources, "a"],
    [packaged, "b"],
  ] as const) {
    const { status, stderr } = await run(program, ["report", results, "--out", join(dir, out)]);
    assert.equal(status, 0, stderr);
  }
  const files = readdirSync(join(dir, "a"));
  assert.ok(files.includes("report.html"));
  assert.deepEqual(readdirSync(join(dir, "b")), files);
  for (const file of files) {
    const bytes = readFileSync(join(dir, "b", file));
    assert.deepEqual(bytes, readFileSync(join(dir, "a", file)), file);
    assert.doesNotMatch(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      /\u00c2\u00b7|\u00e2\u20ac|\u00c3/,
      file,
    );
  }
});

test("the packaged command neither needs nor writes a cache, whatever HOME is", async () => {
  const home = join(dir, "home");
  const help = await run(packaged, ["rbd", "--help"], {
    HOME: home,
    XDG_CACHE_HOME: "",
    SIPHON_CACHE_DIR: "",
  });
  assert.equal(help.status, 0);
  assert.ok(!readdirSync(dir).includes("home"));
  assert.deepEqual(await run(packaged, ["rbd", "--help"], { HOME: "" }), help);
});

test("the packaged command loads only the modules of Node that it needs", async () => {
  const loaded = join(dir, "loaded.cjs");
  const told = "process.on('exit', () => console.log(process.moduleLoadList.join('\\n')))";
  writeFileSync(loaded, told);
  const modulesOf = async (...args: string[]) => {
    const { stdout } = await run(packaged, args, { NODE_OPTIONS: `--require=${loaded}` });
    return ["crypto", "worker_threads"].filter((name) => stdout.includes(`\nNativeModule ${name}\n`));
  };
  assert.deepEqual(await modulesOf("rbd", "info", "--version"), []);
  // A key is read before the connection is made.
  const key = "AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==";
  const args = ["a/b", "-m", "localhost", "--connect-timeout", "1", "--key", key];
  assert.deepEqual(await modulesOf("rbd", "info", ...args), ["crypto"]);
});

test("a truncated pack is reported, and code compiled by V8 under other flags is ignored", async () => {
  const copy = join(dir, "copy");
  cpSync(dirname(packaged), copy, { recursive: true });
  const program = join(copy, "siphon.cjs");
  assert.equal((await run("--no-opt", [program, "rbd", "--help"])).status, 0);
  const pack = join(copy, "siphon.pack");
  truncateSync(pack, 100_000);
  const cut = await run(program, ["rbd", "--help"]);
  assert.notEqual(cut.status, 0);
  assert.match(cut.stderr, /siphon\.pack is cut short: install siphon again/);
});

test("the packaged command uses Node's own `using`: esbuild's throws an error of one loop iteration again in the next", () => {
  const pack = readFileSync(join(dirname(packaged), "siphon.pack"));
  assert.ok(pack.includes("await using"));
  assert.ok(!pack.includes("__callDispose"));
});

test("an unexpected failure shows its position in the sources", async () => {
  const broken = join(dir, "broken.cjs");
  // All commands write to standard output, so a failure there reaches any of them.
  writeFileSync(broken, "process.stdout.write = () => { throw new TypeError('a bug'); };");
  const { status, stderr } = await run(packaged, ["completion", "bash"], {
    NODE_OPTIONS: `--require=${broken}`,
  });
  assert.equal(status, 1);
  assert.match(stderr, /^siphon: unexpected failure: TypeError: a bug\n/);
  assert.match(stderr, /packages\/cli\/src\/commands\/completion\.ts:\d+:\d+/);
});
