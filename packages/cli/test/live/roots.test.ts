import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pidsWithEnvironment, RESOURCE_VARIABLE, Root } from "@siphon/lab";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-roots-"));
const [state, cache, mirror] = [join(dir, "state"), join(dir, "cache"), join(dir, "mirror")];
before(() => mkdirSync(mirror));
after(() => rmSync(dir, { recursive: true, force: true }));

/**
 * This machine's own system stands in for a root: a mount namespace of the test binds it to a directory, and ends with the command.
 * So these tests cover how programs of a root are started, but no other release.
 */
const IN_MIRROR = ["unshare", "--mount", "sh", "-c", 'mount --bind / "$0" && exec "$@"', mirror];

function siphon(args: string[], wrapper: string[] = []): ChildProcess & { words: () => string } {
  const [program, ...rest] = [...wrapper, process.execPath, main, ...args];
  const child = spawn(program!, rest, {
    cwd: dir,
    env: { ...process.env, SIPHON_STATE_DIR: state, SIPHON_CACHE_DIR: cache },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let words = "";
  for (const stream of [child.stdout, child.stderr]) stream!.on("data", (data) => (words += data));
  return Object.assign(child, { words: () => words });
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return (await once(child, "exit"))[0] as number | null;
}

async function until(child: ReturnType<typeof siphon>, words: RegExp): Promise<void> {
  while (!words.test(child.words())) {
    assert.equal(child.exitCode, null, child.words());
    await sleep(50);
  }
}

const conf = (cluster: string) => join(state, "clusters", cluster, "ceph.conf");
const running = () => pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value.startsWith(`${state}/`));
const mounts = () => readFileSync("/proc/self/mounts", "utf8");
const left = (where: string) => (existsSync(where) ? readdirSync(where) : []);

test("a cluster runs from a root, including everything started for it later; nothing of it remains", async () => {
  const mountsBefore = mounts();
  const up = siphon(
    ["cluster", "up", "--osds", "1", "--ceph", mirror, "--store", "memstore", "--auth", "cephx"],
    IN_MIRROR,
  );
  assert.equal(await ended(up), 0, up.words());
  const daemons = running();
  assert.equal(daemons.length, 3);
  for (const pid of daemons) {
    assert.match(readlinkSync(`/proc/${pid}/exe`), /\/usr\/bin\/ceph-(mon|mgr|osd)$/);
    assert.notEqual(readlinkSync(`/proc/${pid}/ns/mnt`), readlinkSync("/proc/self/ns/mnt"));
  }
  const status = siphon(["cluster", "status"], IN_MIRROR);
  assert.equal(await ended(status), 0, status.words());
  assert.match(status.words(), /HEALTH_OK/);
  const down = siphon(["cluster", "down"]);
  assert.equal(await ended(down), 0, down.words());
  assert.deepEqual([running(), left(join(state, "clusters")), left(mirror)], [[], [], []]);
  assert.equal(mounts(), mountsBefore);
});

test("QEMU runs from a root, and the printed command line shows it", async () => {
  const vm = ["vm", "run", "--null", "64M", "--rung", "cache-none", "--qemu", mirror];
  const run = siphon([...vm, "--", "cat /proc/sys/kernel/ostype"], IN_MIRROR);
  assert.equal(await ended(run), 0, run.words());
  assert.match(run.words(), /^Linux$/m);
  const print = siphon([...vm, "--print"], IN_MIRROR);
  assert.equal(await ended(print), 0, print.words());
  assert.match(
    print.words(),
    new RegExp(`^siphon root run ${mirror} -- env .*\\n?.*qemu-system-x86_64`, "m"),
  );
  assert.deepEqual(running(), []);
});

// The other tests need other releases: siphon root build reef.
const roots = await Root.list();

for (const { name, directory } of roots) {
  test(`a cluster of the root ${name} comes up and takes images, with keys of its release's type`, async () => {
    const up = siphon([
      "cluster",
      "up",
      "--name",
      name,
      "--osds",
      "1",
      "--ceph",
      directory,
      "--auth",
      "cephx",
    ]);
    assert.equal(await ended(up), 0, up.words());
    const create = siphon([
      "rbd",
      "--cluster",
      name,
      "--id",
      "libvirt",
      "create",
      "--size",
      "64M",
      "libvirt-pool/one",
    ]);
    assert.equal(await ended(create), 0, create.words());
    const listed = siphon(["root", "run", directory, "--", "rbd", "-c", conf(name), "ls", "libvirt-pool"]);
    assert.equal(await ended(listed), 0, listed.words());
    assert.match(listed.words(), /^one$/m);
    const down = siphon(["cluster", "down", name]);
    assert.equal(await ended(down), 0, down.words());
    assert.deepEqual([running(), left(join(state, "clusters"))], [[], []]);
  });
}

const skip = roots.length === 0 ? "there is no root: siphon root build reef" : false;
test("QEMU of one release runs with librbd of another, and the results name both", { skip }, async () => {
  const releases = ["host", roots.at(-1)!.directory].join(",");
  const load = ["--repeat", "1", "--seconds", "1", "--size", "64M", "--out", join(dir, "runs"), "--json"];
  const child = siphon(["ladder", "--releases", releases, ...load]);
  assert.equal(await ended(child), 0, child.words());
  const { mode, rungs } = JSON.parse(readFileSync(join(dir, "runs/latest/results.json"), "utf8")) as {
    mode: string;
    rungs: { status: string; command: string }[];
  };
  assert.equal(mode, "releases");
  assert.deepEqual(
    rungs.map(({ status }) => status),
    ["measured", "measured"],
  );
  assert.match(rungs[0]!.command, /LD_LIBRARY_PATH=/);
  assert.doesNotMatch(rungs[1]!.command, /LD_LIBRARY_PATH=/);
});

test("siphon root run starts a program of the root with its own exit code", async () => {
  const run = siphon(
    ["root", "run", mirror, "--", "sh", "-c", "readlink /proc/self/root; exit 7"],
    IN_MIRROR,
  );
  assert.equal(await ended(run), 7, run.words());
});

test("after a SIGKILL while a cluster comes up from a root, siphon clean leaves nothing", async () => {
  const mountsBefore = mounts();
  const up = siphon(["cluster", "up", "--ceph", mirror], IN_MIRROR);
  await until(up, /starting 3 OSDs/);
  up.kill("SIGKILL");
  await ended(up);
  assert.ok(running().length > 0);
  const clean = siphon(["clean"]);
  assert.equal(await ended(clean), 0, clean.words());
  assert.deepEqual([running(), left(join(state, "clusters")), left(mirror)], [[], [], []]);
  assert.equal(mounts(), mountsBefore);
});

test("an unreachable mirror is named in one sentence, and nothing remains", async () => {
  const build = siphon(["root", "build", "trixie", "--mirror", "http://127.0.0.1:9/debian"]);
  assert.equal(await ended(build), 1);
  assert.match(
    build.words(),
    /siphon: cannot get the packages of the root trixie from http:\/\/127\.0\.0\.1:9\/debian/,
  );
  assert.match(build.words(), /--mirror URL/);
  assert.deepEqual([running(), left(join(cache, "roots")), left(join(state, "work"))], [[], [], []]);
});

test("a disk without space for a root is named before anything is downloaded, and nothing remains", async () => {
  const full = join(dir, "full");
  mkdirSync(full);
  const small = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o size=64m none "$0" && exec "$@"; ls -A "$0"',
    full,
  ];
  const build = siphon(["root", "build", "trixie", join(full, "root")], small);
  assert.equal(await ended(build), 1, build.words());
  assert.match(build.words(), /siphon: building a root needs 3 GiB in \S+, of which 0\.1 are free/);
});

test("an unknown name, and a directory that is no root, are refused", async () => {
  for (const [args, words] of [
    [
      ["root", "build", "atlantis"],
      /no release of Ceph and no Debian suite called atlantis\n.*pacific.*trixie/,
    ],
    [["root", "build", "trixie", mirror], /is not the root directory of a system/],
    [["root", "remove", "trixie"], /there is no root trixie/],
    [["root", "remove", mirror], /is a directory of yours/],
    [["cluster", "up", "--ceph", "reef"], /there is no root reef\n.*siphon root build reef/],
    [["ladder", "--releases", "squid,quincy"], /there is no root (squid|quincy)/],
    [["ladder", "--releases", "reef", "--mode", "published"], /the study's steps say nothing of releases/],
  ] as const) {
    const refused = siphon([...args]);
    assert.ok((await ended(refused))! > 0, args.join(" "));
    assert.match(refused.words(), words);
  }
  assert.deepEqual([running(), left(join(cache, "roots"))], [[], []]);
});

test("an image's root needs podman or docker, and the error says why neither works", async (context) => {
  const build = siphon(["root", "build", "squid"]);
  const code = await ended(build);
  if (code === 0) return context.skip("a container engine is here, and has pulled it");
  assert.match(build.words(), /quay\.io\/ceph\/ceph:v19, which takes podman or docker: |cannot|failed/);
  assert.deepEqual(left(join(cache, "roots")), []);
});

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGKILL", null],
] as const) {
  test(`a build that ${signal} ends leaves nothing${signal === "SIGKILL" ? " after siphon clean" : ""}`, async () => {
    const build = siphon(["root", "build", "trixie", join(dir, "built")]);
    await until(build, /downloading packages|extracting|running apt-get update/);
    build.kill(signal);
    assert.equal(await ended(build), code, build.words());
    if (signal === "SIGKILL") {
      const clean = siphon(["clean"]);
      assert.equal(await ended(clean), 0, clean.words());
    }
    const built = readdirSync(dir).filter((name) => /^built$|^\.building-/.test(name));
    assert.deepEqual([running(), built, left(join(state, "work"))], [[], [], []]);
  });
}
