import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { main } from "../support/programs.ts";

const run = promisify(execFile);
const pool = "libvirt-pool";
let cluster: LocalCluster;

before(async () => {
  cluster = await LocalCluster.up({ name: "cli-rbd", osds: 1, replicas: 1, store: "memstore", pgs: 8 });
});

after(() => cluster?.down());

interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

async function call(program: string, args: string[]): Promise<Answer> {
  try {
    return { code: 0, ...(await run(program, args)) };
  } catch (error) {
    const { code, stdout, stderr } = error as Answer;
    return { code, stdout, stderr };
  }
}

const siphonArguments = (args: string[]) => [main, "rbd", ...args, "--conf", cluster.conf];
const siphon = (...args: string[]) => call(process.execPath, siphonArguments(args));
const rbd = (...args: string[]) => call("rbd", [...args, "--conf", cluster.conf, "--name", "client.admin"]);

async function succeeds(answer: Promise<Answer>): Promise<string> {
  const { code, stdout, stderr } = await answer;
  assert.equal(code, 0, stderr);
  return stdout;
}

test("siphon rbd shows images like rbd, byte for byte", async () => {
  await succeeds(siphon("create", `${pool}/plain`, "--size", "100"));
  await succeeds(
    siphon("create", `${pool}/striped`, "--size", "1.5G", "--stripe-unit", "64K", "--stripe-count", "3"),
  );
  await succeeds(siphon("create", `${pool}/shared`, "--size", "1T", "--object-size", "8M", "--image-shared"));
  await succeeds(siphon("snap", "create", `${pool}/plain@one`, "--no-progress"));
  await succeeds(siphon("snap", "create", `${pool}/plain@two`, "--no-progress"));
  await succeeds(siphon("snap", "protect", `${pool}/plain@one`));
  await succeeds(siphon("clone", `${pool}/plain@one`, `${pool}/old`));
  await succeeds(siphon("clone", `${pool}/plain@two`, `${pool}/new`, "--rbd-default-clone-format", "2"));
  await succeeds(siphon("snap", "limit", "set", `${pool}/striped`, "--limit", "3"));
  await succeeds(rbd("lock", "add", `${pool}/shared`, "mine", "--shared", "tag"));
  await succeeds(rbd("lock", "add", `${pool}/shared`, "yours", "--shared", "tag"));
  await succeeds(rbd("lock", "add", `${pool}/old`, "hands off"));
  const json = ["--format", "json"];
  const pretty = [...json, "--pretty-format"];
  const cases: string[][] = [
    ["info", `${pool}/plain`, ...pretty],
    ["info", `${pool}/striped`],
    ["info", `${pool}/new`, ...json],
    ["info", `${pool}/old`],
    ["info", `${pool}/plain@one`],
    ["ls", "-l", pool],
    ["ls", "-l", pool, ...json],
    ["snap", "ls", "--all", `${pool}/plain`],
    ["snap", "ls", `${pool}/plain`, ...json],
    ["children", `${pool}/plain`],
    ["children", `${pool}/plain`, ...pretty],
    ["lock", "ls", `${pool}/shared`],
    ["lock", "ls", `${pool}/old`, ...json],
  ];
  for (const args of cases) {
    const [ours, theirs] = await Promise.all([siphon(...args), rbd(...args)]);
    assert.equal(ours.stdout, theirs.stdout, `rbd ${args.join(" ")}: ${ours.stderr}`);
  }
});

test("the clients of an image are shown, and a lock is taken from one of them", async () => {
  const script =
    "import rados,rbd,sys\nwith rados.Rados(conffile=sys.argv[1],name='client.admin') as c, c.open_ioctx(sys.argv[2]) as i:\n m=rbd.Image(i,'new')\n m.write(b'x',0)\n print('open',flush=True)\n sys.stdin.read()\n try:\n  m.write(b'y',0)\n  print('written')\n except Exception as e:\n  print(type(e).__name__)\n sys.stdout.flush()\n import os\n os._exit(0)";
  const user = spawn(
    process.env.SIPHON_TEST_PYTHON ?? "/usr/bin/python3",
    ["-c", script, cluster.conf, pool],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const lines = createInterface({ input: user.stdout })[Symbol.asyncIterator]();
  await lines.next();
  for (const args of [
    ["status", `${pool}/new`],
    ["lock", "ls", `${pool}/new`],
  ]) {
    assert.equal((await siphon(...args)).stdout, (await rbd(...args)).stdout);
  }
  const locks = JSON.parse(await succeeds(siphon("lock", "ls", `${pool}/new`, "--format", "json"))) as {
    id: string;
    locker: string;
  }[];
  await succeeds(siphon("lock", "rm", `${pool}/new`, locks[0]!.id, locks[0]!.locker));
  assert.equal(await succeeds(rbd("lock", "ls", `${pool}/new`)), "");
  user.stdin.end();
  assert.notEqual((await lines.next()).value, "written");
  await once(user, "exit");
});

test("images are changed and removed like with rbd", async () => {
  const image = `${pool}/disk`;
  await succeeds(siphon("create", "-p", pool, "--image", "disk", "--size", "16M"));
  const smaller = await siphon("resize", image, "--size", "8M");
  assert.deepEqual([smaller.code, /--allow-shrink/.test(smaller.stderr)], [22, true]);
  assert.match(
    (await siphon("resize", image, "--size", "8M", "--allow-shrink")).stderr,
    /Resizing image: 100% complete\.\.\.done\.\n$/,
  );
  await succeeds(siphon("snap", "create", `${image}@s`));
  await succeeds(siphon("snap", "rename", `${image}@s`, `${image}@t`));
  await succeeds(siphon("snap", "rollback", `${image}@t`));
  assert.match((await siphon("rm", image)).stderr, /failed\.\n.*has snapshots/s);
  await succeeds(siphon("snap", "purge", image));
  await succeeds(siphon("rm", image));
  await succeeds(siphon("flatten", `${pool}/new`, "--no-progress"));
  assert.equal(await succeeds(rbd("children", `${pool}/plain`)), `${pool}/old\n`);
  const missing = await siphon("info", image);
  assert.equal(missing.code, 2);
  assert.match(
    missing.stderr,
    /siphon: there is no image libvirt-pool\/disk: \(2\) No such file or directory\n +list images with/,
  );
  assert.equal((await siphon("info", "a/b/c/d")).code, 22);
});

test("siphon rbd watch prints the notifications", async () => {
  const watcher = spawn(process.execPath, siphonArguments(["watch", `${pool}/plain`]), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  await once(watcher.stderr, "data");
  const heard = once(createInterface({ input: watcher.stdout }), "line");
  await succeeds(rbd("snap", "create", `${pool}/plain@three`, "--no-progress"));
  assert.match(
    (await heard)[0],
    /^libvirt-pool\/plain received notification: notify_id=\d+, cookie=\d+, notifier_id=\d+, bl\.length=\d+$/,
  );
  watcher.kill("SIGINT");
  await once(watcher, "exit");
});
