import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { type Answer, call } from "../support/programs.ts";
import { RbdWorker } from "../support/rbd-worker.ts";

/** The same is done with siphon in one pool and with rbd in the other. */
const pools = { siphon: "apple", rbd: "peach" };
type Side = keyof typeof pools;
const directory = mkdtempSync(join(tmpdir(), "siphon-caps-"));
let cluster: LocalCluster;
let worker: RbdWorker;

/** Capabilities of users, by name; P is the pool. */
const users: Record<string, { mon: string; osd: string; within?: string }> = {
  namespace: { mon: "profile rbd", osd: "profile rbd pool=P namespace=tenant", within: "tenant" },
};

/**
 * One after the other for each user; W/ stands for the pool and, where the user has one, the namespace. Snapshots of groups are not among
 * them: rbd 16.2 waits for ever in `group snap create` of a user of a namespace.
 */
const lines = `
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
`
  .trim()
  .split("\n");

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
  for (const pool of Object.values(pools)) {
    for (const place of [pool, `${pool}/tenant`]) {
      await succeeds(rbd("import", join(directory, "0"), `${place}/base`, "--no-progress"));
      await succeeds(rbd("snap", "create", `${place}/base@s`, "--no-progress"));
      await succeeds(rbd("snap", "protect", `${place}/base@s`));
    }
    for (const [name, { mon, osd }] of Object.entries(users)) {
      const caps = ["mon", mon, "osd", osd.replaceAll("P", pool)];
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

for (const [user, { mon, osd, within }] of Object.entries(users)) {
  test(`a user with mon '${mon}', osd '${osd}' may do what it may with rbd, and no more`, async (t) => {
    for (const line of lines) {
      const [ours, theirs] = await Promise.all(
        (["siphon", "rbd"] as const).map((side) => run(side, user, line, within)),
      );
      // rbd tries for ever what it may not do in some commands that write.
      const skip = theirs!.code === 137 && "rbd does not end";
      await t.test(line, { skip }, () => {
        assert.equal(ours!.code, theirs!.code, `${ours!.stderr}\nrbd: ${theirs!.stderr}`);
        assert.equal(leveled(ours!.stdout, "siphon"), leveled(theirs!.stdout, "rbd"));
      });
    }
  });
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
    .replaceAll(/\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, "TIME")
    .replaceAll(/bench +type.*|elapsed.*| +SEC .*| +\d+ +\d+ +[\d.]+ .*\n/g, "")
    .replaceAll(/address=.*|Watchers:[\s\S]*/g, "");
}

async function succeeds(answer: Promise<Answer>): Promise<string> {
  const { code, stdout, stderr } = await answer;
  assert.equal(code, 0, stderr);
  return stdout;
}
