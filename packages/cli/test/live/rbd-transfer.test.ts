import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { main } from "../support/programs.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-rbd-transfer-"));
const path = (name: string) => join(directory, name);
let cluster: LocalCluster;

before(async () => {
  const spec = { name: "cli-transfer", osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  cluster = await LocalCluster.up({ ...spec, pool: "images" });
  writeFileSync(path("one"), content("one"));
  writeFileSync(path("two"), content("two"));
  rbd("import", path("one"), "images/disk");
  rbd("snap", "create", "images/disk@one");
  rbd("export-diff", "images/disk@one", path("to-one.theirs"));
});

after(async () => {
  await cluster?.down();
  rmSync(directory, { recursive: true });
});

test("import and export, through a file and through a pipe, preserve the bytes", () => {
  const { stderr } = siphon("import", path("two"), "images/two");
  assert.match(
    stderr,
    /^\rImporting image: \d+% complete\.\.\.[\s\S]*\rImporting image: 100% complete\.\.\.done\.\n$/,
  );
  assert.equal(rbd("export", "images/two", "-").equals(content("two")), true);
  siphon("export", "images/two", path("two.out"));
  assert.equal(readFileSync(path("two.out")).equals(content("two")), true);
  const { stdout } = siphon("export", "--no-progress", "images/disk@one", "-");
  assert.equal(stdout.equals(content("one")), true);
  siphonFed(stdout, "import", "-", "images/piped");
  assert.equal(rbd("export", "images/piped", "-").equals(content("one")), true);
});

test("an existing file is not overwritten, and a failure leaves nothing", () => {
  writeFileSync(path("taken"), "kept");
  assert.match(failing("export", "images/disk", path("taken")), /taken is there already/);
  assert.equal(readFileSync(path("taken"), "utf8"), "kept");
  assert.match(failing("export", "images/nothing", path("nothing")), /nothing/);
  assert.equal(readdirSync(directory).includes("nothing"), false);
  assert.match(failing("import", "--export-format", "2", path("one"), "images/broken"), /begins with/);
  assert.equal(rbd("ls", "images").toString().includes("broken"), false);
});

test("diffs that siphon makes, merges and applies equal rbd's", () => {
  rbd("import-diff", changed(), "images/disk");
  siphon("export-diff", "images/disk@one", path("to-one"));
  siphon("export-diff", "--from-snap", "one", "images/disk@two", path("to-two"));
  rbd("export-diff", "--from-snap", "one", "images/disk@two", path("to-two.theirs"));
  for (const name of ["to-one", "to-two"]) {
    assert.equal(readFileSync(path(name)).equals(readFileSync(path(`${name}.theirs`))), true, name);
  }
  siphon("merge-diff", path("to-one"), path("to-two"), path("merged"));
  rbd("merge-diff", path("to-one"), path("to-two"), path("merged.theirs"));
  assert.equal(readFileSync(path("merged")).equals(readFileSync(path("merged.theirs"))), true);
  rbd("create", "--size", "1M", "images/copy");
  siphon("import-diff", path("merged"), "images/copy");
  assert.equal(rbd("export", "images/copy@two", "-").equals(rbd("export", "images/disk@two", "-")), true);
});

test("rbd diff prints the same output", () => {
  for (const args of [["images/disk"], ["--from-snap", "one", "images/disk"]]) {
    assert.equal(siphon("diff", ...args).stdout.toString(), rbd("diff", ...args).toString());
  }
});

test("a backup keeps the states of an image, and restores each of them", () => {
  const backup = path("backup");
  siphon("backup", "images/disk@one", backup);
  siphon("backup", "images/disk@two", backup);
  siphon("restore", backup, "images/then", "--point", "one");
  siphon("restore", backup, "images/now");
  assert.equal(rbd("export", "images/then", "-").equals(content("one")), true);
  assert.equal(rbd("export", "images/now", "-").equals(rbd("export", "images/disk@two", "-")), true);
  assert.match(siphon("restore", "--verify", backup).stdout.toString(), /^one .*sound\ntwo .*sound\n$/);
});

test("an image is encrypted so that cryptsetup opens it", () => {
  writeFileSync(path("passphrase"), "correct horse");
  rbd("create", "--size", "4M", "--object-size", "1M", "images/secret");
  siphon("encryption", "format", "images/secret", "luks1", path("passphrase"));
  rbd("export", "images/secret", path("secret"));
  const open = [
    "--batch-mode",
    "open",
    "--test-passphrase",
    "--key-file",
    path("passphrase"),
    path("secret"),
  ];
  execFileSync("cryptsetup", open, { stdio: "pipe" });
});

test("plain data is written to an encrypted image and read back, also by other programs", () => {
  const flags = ["--encryption-format", "luks1", "--encryption-passphrase-file", path("passphrase")];
  writeFileSync(path("passphrase"), "correct horse");
  siphon("import", path("one"), "images/encrypted", "--object-size", "1M", ...flags);
  siphon("export", "images/encrypted", path("decrypted"), ...flags);
  assert.equal(readFileSync(path("decrypted")).equals(content("one")), true);
  rbd("export", "images/encrypted", path("encrypted"));
  const secret = ["--object", `secret,id=s,file=${path("passphrase")}`];
  const options = `driver=luks,key-secret=s,file.filename=${path("encrypted")}`;
  const args = ["convert", ...secret, "--image-opts", options, "-O", "raw", path("by-qemu")];
  execFileSync("qemu-img", args, { stdio: "pipe" });
  assert.equal(readFileSync(path("by-qemu")).equals(content("one")), true);
  const other = ["--encryption-format", "luks2", ...flags.slice(2)];
  assert.match(failing("export", "images/encrypted", path("nothing"), ...other), /LUKS1, not LUKS2/);
});

test("a killed import, copy or export continues where it was, if the source has not changed", async () => {
  const large = Buffer.alloc(130 * 2 ** 20, "large");
  large.fill(0, 70 * 2 ** 20, 75 * 2 ** 20);
  writeFileSync(path("large"), large);
  for (const args of [
    ["import", path("large"), "images/large"],
    ["cp", "images/large", "images/large-copy"],
    ["export", "images/large-copy", path("large.out")],
  ]) {
    await killed(60, ...args, "--resume");
    assert.match(failing(...args), /already/);
    const { stderr } = siphon(...args, "--resume");
    assert.ok(Number(/(\d+)%/.exec(stderr)?.[1]) >= 49, stderr);
  }
  assert.equal(readFileSync(path("large.out")).equals(large), true);
  assert.equal(
    rbd("image-meta", "list", "images/large-copy").toString(),
    "There are 0 metadata on this image.\n",
  );
  rmSync(path("large.out"));
  await killed(60, "export", "images/large", path("large.out"), "--resume");
  rbd("bench", "images/large", "--io-type", "write", "--io-size", "4K", "--io-total", "4K");
  assert.match(failing("export", "images/large", path("large.out"), "--resume"), /the source has changed/);
});

/** Runs siphon until its progress is at this percentage. */
async function killed(percent: number, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [main, "rbd", ...args], {
    ...{
      env: { ...process.env, CEPH_CONF: cluster.conf },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 120_000,
    },
  });
  const ended = once(child, "close");
  let shown = "";
  child.stderr!.on("data", (text) => {
    shown += text;
    if (Number(shown.split("%").at(-2)?.match(/\d+$/)?.[0]) >= percent) child.kill("SIGKILL");
  });
  await ended;
  assert.equal(child.signalCode, "SIGKILL", shown);
}

/** Several megabytes with a hole. */
function content(text: string): Buffer {
  const bytes = Buffer.alloc(9 * 2 ** 20 + 512, text);
  return bytes.fill(0, 2 ** 20, 6 * 2 ** 20);
}

/** The diff from snapshot one to snapshot two. */
function changed(): string {
  const bytes = Buffer.alloc(70_000, "changed");
  const header = Buffer.from("rbd diff v1\nf\x03\0\0\0onet\x03\0\0\0two", "latin1");
  const record = (tag: string, ...numbers: number[]) => {
    const record = Buffer.alloc(1 + 8 * numbers.length, tag);
    for (const [n, number] of numbers.entries()) record.writeBigUInt64LE(BigInt(number), 1 + 8 * n);
    return record;
  };
  const size = record("s", 8 * 2 ** 20);
  const records = [
    record("w", 3 * 2 ** 20, bytes.length),
    bytes,
    record("z", 7 * 2 ** 20, 5000),
    Buffer.from("e"),
  ];
  writeFileSync(path("changed"), Buffer.concat([header, size, ...records]));
  return path("changed");
}

function siphon(...args: string[]): { stdout: Buffer; stderr: string } {
  return siphonFed(undefined, ...args);
}

function siphonFed(input: Buffer | undefined, ...args: string[]): { stdout: Buffer; stderr: string } {
  const { status, stdout, stderr } = runSiphon(input, args);
  assert.equal(status, 0, stderr);
  return { stdout, stderr };
}

function failing(...args: string[]): string {
  const { status, stderr } = runSiphon(undefined, args);
  assert.notEqual(status, 0);
  return stderr;
}

function runSiphon(input: Buffer | undefined, args: string[]) {
  const env = { ...process.env, CEPH_CONF: cluster.conf };
  const options = { env, maxBuffer: 2 ** 30, ...(input && { input }) };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "rbd", ...args], options);
  return { status, stdout, stderr: stderr.toString() };
}

function rbd(...args: string[]): Buffer {
  return execFileSync("rbd", ["--conf", cluster.conf, "--id", "admin", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 2 ** 30,
  });
}
