import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { commands } from "../src/commands.ts";
import { main } from "./support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cli-"));
after(() => rmSync(dir, { recursive: true, force: true }));

function siphon(...args: string[]) {
  const env = { ...process.env, SIPHON_STATE_DIR: join(dir, "state"), NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: dir,
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("the help lists every command, and every command has its own help", () => {
  const { status, stdout } = siphon("--help");
  assert.equal(status, 0);
  for (const { name } of commands) {
    assert.match(stdout, new RegExp(`^ {2}${name}\\b`, "m"));
    const own = siphon(name, "--help");
    assert.equal(own.status, 0, own.stderr);
    assert.match(own.stdout, new RegExp(`^Usage: siphon ${name}`));
  }
});

test("rbd without a command prints its help, which is no error", () => {
  for (const args of [["rbd"], ["rbd", "--conf", "/nosuch"]]) {
    const { status, stdout } = siphon(...args);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: siphon rbd/);
  }
});

test("rbd help shows the help of the command that its words name, and fails for words that are no command", () => {
  for (const [words, usage] of [
    ["", "rbd [options] [command]"],
    ["--nonsense", "rbd [options] [command]"],
    ["snap create", "rbd snap create"],
    ["info extra", "rbd info"],
    ["list", "rbd ls|list"],
  ] as const) {
    const { status, stdout, stderr } = siphon("rbd", "help", ...words.split(" ").filter(Boolean));
    assert.equal(status, 0, stderr);
    assert.ok(stdout.startsWith(`Usage: siphon ${usage}`), `${words}: ${stdout}`);
  }
  for (const words of ["nonsense", "snap nonsense", "image-meta nonsense"]) {
    const { status, stderr } = siphon("rbd", "help", ...words.split(" "));
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`unknown command '${words}'`));
  }
});

test("an invalid call is refused with exit code 2 and nothing starts", () => {
  for (const [args, words] of [
    [["nope"], /unknown command/],
    [["ladder", "--nope"], /unknown option/],
    [["ladder", "--rw", "sideways"], /Allowed choices/],
    [["ladder", "--repeat", "none"], /repeat/],
    [["ladder", "--rungs", "floppy"], /no rung called floppy/],
    [["ladder", "--bs", "16x"], /no size/],
  ] as const) {
    const { status, stderr } = siphon(...args);
    assert.equal(status, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, words);
  }
});

test("rbd, rados and ceph print a version that programs can parse, and that names siphon", () => {
  for (const name of ["rbd", "rados", "ceph"]) {
    for (const option of ["--version", "-v"]) {
      assert.match(
        siphon(name, option).stdout,
        /^ceph version \d+\.\d+\.\d+ \(siphon [\d.]+\) \w+ \(stable\)\n$/,
      );
    }
  }
});

test("if a cluster cannot be reached or refuses the user, a command ends like Ceph's own programs", () => {
  const nowhere = ["-m", "127.0.0.1:1", "--connect-timeout", "1"];
  const key = ["--key", "AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA=="];
  const [noKey, badKey] = ["nothing", "[client.admin]\n\tkey = nothing"].map((text, index) => {
    const path = join(dir, `keyring-${index}`);
    writeFileSync(path, `${text}\n`);
    return path;
  }) as [string, string];
  const cases: [args: string[], code: number, text: RegExp][] = [
    [["rbd", "ls", ...nowhere, "--keyring", "/nosuch"], 2, /no keyring has a key for client\.admin/],
    [["rbd", "ls", ...nowhere, "--key", "none"], 22, /the key of client\.admin is not a Ceph key/],
    [["rbd", "ls", ...nowhere, "--keyfile", noKey], 22, /the key of client\.admin is not a Ceph key/],
    [["rbd", "ls", ...nowhere, "--keyfile", "/nosuch"], 2, /there is no key in \/nosuch/],
    [["rbd", "ls", ...nowhere, "--keyring", badKey], 5, /the key of client\.admin is not a Ceph key/],
    [["rbd", "ls", ...nowhere, "--keyring", noKey], 5, /cannot read .*: line 1/],
    [["rbd", "ls", ...nowhere, "--keyring", "/"], 21, /cannot read \/ \(EISDIR\)/],
    [["rados", "lspools", ...nowhere, "--keyring", badKey], 1, /the key of client\.admin is not a Ceph key/],
    [["ceph", "health", ...nowhere, "--keyring", badKey], 1, /the key of client\.admin is not a Ceph key/],
    [["rbd", "ls", ...nowhere, ...key], 110, /no monitor could be reached within 1 s/],
    [["ceph", "health", ...nowhere, ...key], 1, /no monitor could be reached within 1 s/],
    [["rados", "lspools", ...nowhere, ...key], 1, /no monitor could be reached within 1 s/],
  ];
  for (const [args, code, text] of cases) {
    const { status, stderr } = siphon(...args);
    assert.match(stderr, text);
    assert.equal(status, code, stderr);
  }
});

test("a full disk behind standard output is reported, with its errno as the exit code", () => {
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [main, "completion", "bash"], {
    ...{ stdio: ["ignore", full, "pipe"], encoding: "utf8" },
  });
  closeSync(full);
  const text = "siphon: cannot write to standard output: (28) No space left on device\n";
  assert.deepEqual({ status, stderr }, { status: 28, stderr: text });
});

test("unusable files and names end a command in one sentence, with the errno as its exit code", () => {
  const cases: [args: string[], code: number, text: RegExp][] = [
    [["rbd", "merge-diff", "/nosuch", "/nosuch", "-"], 2, /\/nosuch: \(2\) No such file or directory/],
    [["rbd", "merge-diff", "/", "/", "-"], 21, /\(21\) Is a directory/],
    [["rbd", "info"], 22, /image name was not specified/],
    [["rbd", "pool", "init", "p/ns"], 2, /error opening pool 'p\/ns': \(2\) No such file or directory/],
    [
      ["rbd", "migration", "abort", "pool/image"],
      95,
      /siphon does not do rbd migration abort: \(95\) Operation not supported/,
    ],
    [["rbd", "ls", "--cluster", "nosuch"], 2, /there is no ceph\.conf of cluster nosuch/],
    [["rbd", "ls", "--nonsense"], 1, /unknown option/],
  ];
  for (const [args, code, text] of cases) {
    const { status, stderr } = siphon(...args);
    assert.equal(status, code, stderr);
    assert.match(stderr, text);
    assert.doesNotMatch(stderr, /unexpected failure| {4}at /);
  }
});

test("an existing image is not overwritten without confirmation", () => {
  const { status, stderr } = siphon("ladder", "--conf", "/etc/ceph/none.conf", "--image", "vm1");
  assert.equal(status, 1);
  assert.match(stderr, /vm1.*not be written to[\s\S]*--yes-overwrite/);
});

test("a missing plan is reported", () => {
  const { status, stderr } = siphon("ladder", "--plan", "none.yaml");
  assert.equal(status, 1);
  assert.match(stderr, /^siphon: cannot read the plan none\.yaml/);
});

test("clean says when nothing was left behind", () => {
  assert.deepEqual(siphon("clean"), { status: 0, stdout: "nothing was left behind\n", stderr: "" });
  assert.deepEqual(siphon("clean", "--json"), { status: 0, stdout: "[]\n", stderr: "" });
});
