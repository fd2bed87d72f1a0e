import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { printedTimes } from "../support/printed-times.ts";
import { type Answer, call } from "../support/programs.ts";
import { RbdWorker } from "../support/rbd-worker.ts";

/** The same commands run with siphon in one pool and with rbd in the other. */
const pools = { siphon: "apple", rbd: "peach" };
type Side = keyof typeof pools;
const directory = mkdtempSync(join(tmpdir(), "siphon-caps-"));
let cluster: LocalCluster;
let worker: RbdWorker;

interface User {
  /** Undefined: none. */
  mon: string | undefined;
  osd: string;
  /** The namespace that the user is confined to. */
  within?: string;
  /** Further commands of this user. */
  more?: string;
  /** All commands of this user, which both programs refuse, in their own words. */
  refused?: string;
  /** rbd fails here because it first changes something (it registers a watch) or reads pools without permission; siphon does not. */
  looks?: RegExp;
  /** Commands that change something, which the user may not do. Both fail, but may report different reasons. */
  changes?: RegExp;
}

/** The users' capabilities, by user; P is the pool. */
const users: Record<string, User> = {
  namespace: { mon: "profile rbd", osd: "profile rbd pool=P namespace=tenant", within: "tenant" },
  rbd: { mon: "profile rbd", osd: "profile rbd pool=P" },
  readonly: {
    mon: "profile rbd",
    osd: "profile rbd-read-only pool=P",
    // The group does not exist, so siphon has nothing to remove.
    looks: /^(children|image-meta list|config image ls|mirror image status|image-meta get|group rm) /,
    changes: /^(rm|config image rm) /,
  },
  pools: {
    mon: "profile rbd",
    osd: "profile rbd pool=P, profile rbd-read-only pool=images",
    // The capabilities of OpenStack: disks are clones of images that others made.
    more: `
      ls images
      info images/golden
      export images/golden@s FILE4
      create images/another --size 8M
      snap create images/golden@t
      clone images/golden@s P/disk
      clone images/golden@s P/disk1 --rbd-default-clone-format 1
      info P/disk
      bench P/disk --io-type write --io-size 4K --io-total 8K --io-threads 1
      snap create P/disk@s
      flatten P/disk
      deep cp images/golden P/deepdisk
      snap unprotect images/golden@s
      rm P/disk1
      rm images/golden`,
  },
  nomon: { mon: undefined, osd: "profile rbd pool=P", refused: "ls P\ninfo P/base\ncreate P/new --size 8M" },
};

/**
 * Commands that run in this order for each user; W/ stands for the pool and, if the user has one, the namespace. Group snapshots are
 * missing, because rbd 16.2 hangs in `group snap create` for a user of a namespace.
 */
const lines = linesOf(`
ls W
ls -l W
info W/base
info W/base@s
status W/base
snap ls W/base
children W/base
children W/base@s
du W/base
du W
diff W/base
export W/base FILE1
export-diff W/base FILE2
image-meta list W/base
config image ls W/base
config pool ls P
lock ls W/base
group ls W
trash ls W
mirror pool info P
mirror image status W/base
namespace ls P
pool stats P
object-map check W/base
ls other
create W/new --size 8M
bench W/base --io-type write --io-size 4K --io-total 8K --io-threads 1
resize W/base --size 12M
snap create W/base@mine
snap protect W/base@mine
snap rename W/base@mine W/base@yours
clone W/base@s W/clone --rbd-default-clone-format 2
clone W/base@s W/old --rbd-default-clone-format 1
children W/base
info W/clone
snap unprotect W/base@s
flatten W/clone
flatten W/old
snap unprotect W/base@yours
snap rollback W/base@yours
snap limit set W/base --limit 9
snap rm W/base@yours
cp W/base W/copied
deep cp W/base W/deep
import FILE0 W/imported
import-diff FILE2 W/copied
image-meta set W/base colour green
image-meta get W/base colour
image-meta remove W/base colour
config image set W/base rbd_cache false
config image rm W/base rbd_cache
config pool set P rbd_cache false
feature disable W/base fast-diff
feature enable W/base fast-diff
object-map rebuild W/base
sparsify W/base
lock add W/base mine --shared tag
group create W/g
group image add W/g W/base
group image ls W/g
group image rm W/g W/base
group rm W/g
rename W/clone W/renamed
trash mv W/renamed
trash ls W
trash purge W
snap purge W/deep
rm W/deep
rm W/copied
rm W/imported
rm W/old
rm W/new
namespace create P/another
pool init P
ls W
`);

before(async () => {
  cluster = await LocalCluster.up({
    name: "cli-caps",
    osds: 1,
    replicas: 1,
    store: "memstore",
    auth: "cephx",
    pgs: 8,
  });
  worker = new RbdWorker();
  writeFileSync(join(directory, "0"), Buffer.alloc(2 ** 20, 7));
  for (const pool of [...Object.values(pools), "other"]) {
    await succeeds(call("ceph", ["osd", "pool", "create", pool, "8", ...asAdmin()]));
    await succeeds(rbd("pool", "init", pool));
    await succeeds(rbd("namespace", "create", `${pool}/tenant`));
    await succeeds(rbd("namespace", "create", `${pool}/hidden`));
  }
  await succeeds(call("ceph", ["osd", "pool", "create", "images", "8", ...asAdmin()]));
  await succeeds(rbd("pool", "init", "images"));
  await succeeds(rbd("import", join(directory, "0"), "images/golden", "--no-progress"));
  await succeeds(rbd("snap", "create", "images/golden@s", "--no-progress"));
  await succeeds(rbd("snap", "protect", "images/golden@s"));
  for (const pool of Object.values(pools)) {
    for (const place of [pool, `${pool}/tenant`]) {
      await succeeds(rbd("import", join(directory, "0"), `${place}/base`, "--no-progress"));
      await succeeds(rbd("snap", "create", `${place}/base@s`, "--no-progress"));
      await succeeds(rbd("snap", "protect", `${place}/base@s`));
    }
    for (const [name, { mon, osd }] of Object.entries(users)) {
      const caps = [...(mon === undefined ? [] : ["mon", mon]), "osd", osd.replaceAll("P", pool)];
      const user = ["auth", "get-or-create", `client.${name}-${pool}`, ...caps];
      const made = await succeeds(call("ceph", [...user, ...asAdmin()]));
      writeFileSync(join(directory, `${name}-${pool}.keyring`), made);
    }
  }
});

after(async () => {
  worker?.[Symbol.dispose]();
  await cluster?.down();
  rmSync(directory, { recursive: true });
});

for (const [user, { mon = "", osd, within, more = "", refused, looks, changes }] of Object.entries(users)) {
  test(`a user with mon '${mon}', osd '${osd}' may do the same with siphon as with rbd`, async (t) => {
    if (user !== "namespace") await renewed();
    for (const line of refused === undefined ? [...lines, ...linesOf(more)] : linesOf(refused)) {
      const [ours, theirs] = await Promise.all(
        (["siphon", "rbd"] as const).map((side) => run(side, user, line, within)),
      );
      // Without permission rbd hangs in some commands that write, and when it connects if the monitors tell it nothing.
      if (theirs!.code === 137) {
        await t.test(`${line}, by siphon alone`, () => assert.notEqual(ours!.code, 0));
        continue;
      }
      if (refused !== undefined || changes?.test(line)) {
        await t.test(`${line}, refused`, () => {
          assert.notEqual(ours!.code, 0);
          assert.notEqual(theirs!.code, 0);
        });
        continue;
      }
      if (looks?.test(line) && theirs!.code === 1) {
        await t.test(`${line}, by siphon alone`, () => assert.notEqual(ours!.code, 1, ours!.stderr));
        continue;
      }
      await t.test(line, () => {
        assert.equal(ours!.code, theirs!.code, `${ours!.stderr}\nrbd: ${theirs!.stderr}`);
        const said = asOldAs(theirs!.stdout, leveled(ours!.stdout, "siphon"));
        assert.equal(said, leveled(theirs!.stdout, "rbd"));
      });
    }
  });
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

interface Lock {
  readonly id: string;
  readonly locker: string;
}

/** What the users share is in its initial state. */
async function renewed(): Promise<void> {
  for (const pool of Object.values(pools)) {
    const names = JSON.parse(await succeeds(rbd("ls", pool, "--format", "json"))) as string[];
    // Clones are removed before their parent.
    for (const name of names.sort((a, b) => Number(a === "base") - Number(b === "base"))) {
      const locks = JSON.parse(
        await succeeds(rbd("lock", "ls", `${pool}/${name}`, "--format", "json")),
      ) as Lock[];
      for (const { id, locker } of locks) await succeeds(rbd("lock", "rm", `${pool}/${name}`, id, locker));
      await rbd("snap", "unprotect", `${pool}/${name}@s`);
      await succeeds(rbd("snap", "purge", `${pool}/${name}`, "--no-progress"));
      await succeeds(rbd("rm", `${pool}/${name}`, "--no-progress"));
    }
    await succeeds(rbd("trash", "purge", pool, "--no-progress"));
    await succeeds(rbd("import", join(directory, "0"), `${pool}/base`, "--no-progress"));
    await succeeds(rbd("snap", "create", `${pool}/base@s`, "--no-progress"));
    await succeeds(rbd("snap", "protect", `${pool}/base@s`));
    await rbd("namespace", "rm", `${pool}/another`);
    await rbd("group", "rm", `${pool}/g`);
    await rbd("config", "pool", "rm", pool, "rbd_cache");
  }
}

const asAdmin = () => ["--conf", cluster.conf, "--name", "client.admin"];
const rbd = (...args: string[]) => call("rbd", [...args, ...asAdmin()]);

async function run(side: Side, user: string, line: string, within: string | undefined): Promise<Answer> {
  const pool = pools[side];
  const place = within === undefined ? pool : `${pool}/${within}`;
  const file = (n: string) => join(directory, n === "0" ? n : `${user}-${side}-${n}`);
  const words = line
    .split(" ")
    .map((word) => word.replace(/^W(?=\/|$)/, place).replace(/^P(?=\/|$)/, pool))
    .map((word) => word.replace(/^FILE(\d)$/, (_, n: string) => file(n)));
  const quiet =
    /^(create|resize|export|export-diff|import|import-diff|snap (create|rm|rollback|purge)|flatten|cp|deep cp|rm|object-map|sparsify|trash purge) /;
  const name = `${user}-${pool}`;
  const all = [
    ...[...words, ...(quiet.test(line) && !line.startsWith("create") ? ["--no-progress"] : [])],
    ...["--conf", cluster.conf, "--id", name, "--keyring", join(directory, `${name}.keyring`)],
  ];
  return side === "siphon" ? worker.call(all) : call("timeout", ["--signal=KILL", "15", "rbd", ...all]);
}

function leveled(text: string, side: Side): string {
  return text
    .replaceAll(pools[side], "POOL")
    .replaceAll(/\b[0-9a-f]{10,14}\b/g, "ID")
    .replaceAll(printedTimes, "TIME")
    .replaceAll(/bench +type.*|elapsed.*| +SEC .*| +\d+ +\d+ +[\d.]+ .*\n/g, "")
    .replaceAll(/address=.*|Watchers:[\s\S]*/g, "");
}

/** Removes a setting of Ceph 17 if rbd is older. */
function asOldAs(theirs: string, ours: string): string {
  if (theirs.includes("rbd_qos_exclude_ops")) return ours;
  return ours
    .replace(/^rbd_qos_exclude_ops .*\n/m, "")
    .replace(/(?<=^There are )\d+(?= values:)/, (count) => String(Number(count) - 1));
}

async function succeeds(answer: Promise<Answer>): Promise<string> {
  const { code, stdout, stderr } = await answer;
  assert.equal(code, 0, stderr);
  return stdout;
}
