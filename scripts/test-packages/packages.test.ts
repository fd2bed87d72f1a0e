import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Call, createImage, LocalCluster, qemuDefaults, Root, smallGuest, Vm } from "@siphon/lab";
import { root } from "../build/checkout.ts";

/** What is released, installed as users do, on systems that have nothing else of siphon: `npm run test:packages`. */
const directory = mkdtempSync(join(tmpdir(), "siphon-packages-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");
const release = join(root, "release");

let ceph: LocalCluster;
/** A minimal Debian without Node. */
let bare: Root;

before(async () => {
  execFileSync(process.execPath, [join(root, "scripts/release/release.ts")], {
    stdio: ["ignore", "ignore", 2],
  });
  bare = bareRoot();
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: "packages", ...spec });
  await createImage(ceph.admin, { image: "vm1", size: 64 << 20 });
});

after(async () => {
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

function bareRoot(): Root {
  const at = join(directory, "bare");
  const mirror = "http://deb.debian.org/debian";
  execFileSync("mmdebstrap", ["--quiet", "--variant=minbase", "bookworm", at, mirror], {
    stdio: ["ignore", 2, 2],
  });
  assert.ok(!existsSync(join(at, "usr/bin/node")));
  return Root.at(at);
}

const released = (pattern: RegExp): string => {
  const found = readdirSync(release).filter((name) => pattern.test(name));
  assert.equal(found.length, 1, `${pattern}: ${found.join(" ")}`);
  return join(release, found[0]!);
};

function run({ command, args, env }: Omit<Call, "env"> & Partial<Call>) {
  return spawnSync(command, args, { env: { ...process.env, ...env }, encoding: "utf8", timeout: 60_000 });
}

/** The command line that names the cluster. */
const user = () => ["--conf", ceph.conf, "--id", "libvirt"];

test("checksums fit, and the SBOM names what is inside", () => {
  const lines = readFileSync(join(release, "SHA256SUMS"), "utf8").trim().split("\n");
  assert.equal(lines.length, readdirSync(release).length - 1);
  for (const line of lines) {
    const [sum, name] = line.split("  ") as [string, string];
    assert.equal(
      createHash("sha256")
        .update(readFileSync(join(release, name)))
        .digest("hex"),
      sum,
      name,
    );
  }
  const { components } = JSON.parse(readFileSync(released(/\.cdx\.json$/), "utf8")) as {
    components: { name: string }[];
  };
  for (const name of ["koffi", "commander", "vega"])
    assert.ok(
      components.some((each) => each.name === name),
      name,
    );
});

test("the npm packages: the README's example compiles with types and runs, and siphon is on the PATH", () => {
  const app = join(directory, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{ "type": "module" }\n');
  const tarballs = readdirSync(release).filter((name) => name.endsWith(".tgz"));
  const versions = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies as Record<
    string,
    string
  >;
  const others = ["typescript", "@types/node"].map((name) => `${name}@${versions[name]}`);
  execFileSync(
    "npm",
    ["install", "--no-audit", "--no-fund", ...tarballs.map((name) => join(release, name)), ...others],
    {
      ...{ cwd: app, stdio: ["ignore", "ignore", 2] },
    },
  );
  const [, example] = /```ts\n(import \{ Cluster \}[^`]+)```/.exec(
    readFileSync(join(root, "README.md"), "utf8"),
  )!;
  writeFileSync(join(app, "example.ts"), example!.replace("/etc/ceph/ceph.conf", ceph.conf));
  const strict = ["--strict", "--target", "es2024", "--module", "nodenext", "--types", "node"];
  execFileSync(join(app, "node_modules/.bin/tsc"), [...strict, "example.ts"], {
    cwd: app,
    stdio: ["ignore", 2, 2],
  });
  execFileSync(process.execPath, ["example.js"], { cwd: app, stdio: ["ignore", 2, 2] });
  const siphon = join(app, "node_modules/.bin/siphon");
  const { stdout } = run({ command: siphon, args: ["rbd", "export", "libvirt-pool/vm1", "-", ...user()] });
  assert.equal(stdout.slice(0, 5), "hello");
});

test("the executable runs on a system without Node, and reads images and objects", () => {
  const executable = released(/-linux-\w+$/);
  const info = run(
    bare.command(executable, ["rbd", "info", "libvirt-pool/vm1", "--format", "json", ...user()]),
  );
  assert.equal(info.status, 0, info.stderr);
  assert.equal(JSON.parse(info.stdout).size, 64 << 20);
  const objects = run(bare.command(executable, ["rados", "ls", "--pool", "libvirt-pool", ...user()]));
  assert.match(objects.stdout, /^rbd_id\.vm1$/m);
});

test("the executable serves an image over vhost-user-blk, and in shards, from a system without Node", async () => {
  const socket = join(directory, "vm1.sock");
  const attach = ["attach", "libvirt-pool/vm1", "--vhost", socket, "--shards", "1", "--json", ...user()];
  const { command, args, env } = bare.command(released(/-linux-\w+$/), attach);
  const server = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", 2] });
  try {
    await Promise.race([once(server.stdout!, "data"), ended(server)]);
    await using vm = await Vm.start({
      ...{ guest: await smallGuest(), accelerator: "tcg", bootTimeoutMs: 120_000 },
      settings: { ...qemuDefaults, device: "virtio-blk", queues: 1 },
      disk: { type: "vhost-user", socket },
    });
    const { stdout } = await vm.run("head -c 5 /dev/vda");
    assert.equal(stdout, "hello");
  } finally {
    const end = once(server, "exit");
    server.kill("SIGTERM");
    assert.deepEqual(await end, [0, null]);
  }
});

async function ended(child: ChildProcess): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`siphon attach ended with ${code}`);
}

test("the Debian package installs, with man pages, completions and a unit, and is removed without a trace", () => {
  const inside = (...words: string[]) => {
    const { status, stdout, stderr } = run({ command: "chroot", args: [bare.directory, ...words] });
    assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  const at = (path: string) => join(bare.directory, path);
  cpSync(released(/\.deb$/), at("siphon.deb"));
  inside("dpkg", "--install", "/siphon.deb");
  assert.match(inside("siphon", "--version"), /^\d+\.\d+\.\d+\n$/);
  for (const page of readdirSync(at("usr/share/man/man1")).filter((name) => name.startsWith("siphon"))) {
    const roff = execFileSync("zcat", [at(`usr/share/man/man1/${page}`)], { encoding: "utf8" });
    assert.match(roff, /^\.TH SIPHON/);
    assert.match(roff, /^\.SH SYNOPSIS$/m);
    assert.doesNotMatch(roff, /undefined|\[object/, page);
  }
  inside("bash", "-n", "/usr/share/bash-completion/completions/siphon");
  const unit = readFileSync(at("usr/lib/systemd/system/siphon-attach@.service"), "utf8");
  assert.match(unit, /^ExecStart=\/usr\/bin\/siphon attach /m);
  for (const hook of ["libvirt", "proxmox"]) inside("sh", "-n", `/usr/share/siphon/hooks/${hook}`);
  const service = readFileSync(at("usr/lib/systemd/system/siphon-attachd.service"), "utf8");
  assert.match(service, /^Type=notify$/m);
  assert.match(service, /^ExecStart=\/usr\/bin\/siphon attachd \$SIPHON_ATTACHD$/m);
  assert.match(readFileSync(at("etc/default/siphon-attachd"), "utf8"), /^SIPHON_ATTACHD=""$/m);
  assert.match(
    readFileSync(at("etc/apparmor.d/abstractions/libvirt-qemu.d/siphon"), "utf8"),
    /^ {2}\/run\/siphon\/\*\.sock rw,$/m,
  );
  const installed = run(bare.command("siphon", ["rbd", "ls", "libvirt-pool", ...user()]));
  assert.equal(installed.stdout, "vm1\n", installed.stderr);
  inside("dpkg", "--purge", "siphon");
  for (const path of ["usr/bin/siphon", "usr/share/siphon", "etc/siphon", "etc/default/siphon-attachd"])
    assert.ok(!existsSync(at(path)), path);
});
