import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { type Answer, call } from "../support/programs.ts";
import { RbdWorker } from "../support/rbd-worker.ts";

/** The same commands run with siphon in one pool and with rbd in the other; each has a data pool. */
const pools = { siphon: "apple", rbd: "peach" };
type Side = keyof typeof pools;
const directory = mkdtempSync(join(tmpdir(), "siphon-settings-"));
let cluster: LocalCluster;
let worker: RbdWorker;

before(async () => {
  cluster = await LocalCluster.up({ name: "cli-settings", osds: 1, replicas: 1, store: "memstore", pgs: 8 });
  worker = new RbdWorker();
  for (const pool of ["rbd", ...Object.values(pools), "data"]) {
    await succeeds(call("ceph", ["osd", "pool", "create", pool, "8", ...asAdmin()]));
    await succeeds(rbd("pool", "init", pool));
  }
});

after(async () => {
  worker?.[Symbol.dispose]();
  await cluster?.down();
  rmSync(directory, { recursive: true });
});

/** Where a setting can be made, by decreasing precedence. `undefined` is removed with `rbd config ... rm`. */
const places = {
  argument: "--rbd-name value",
  underscores: "--rbd_name=value",
  CEPH_ARGS: "CEPH_ARGS=--rbd_name=value",
  user: "[client.admin] in ceph.conf",
  client: "[client] in ceph.conf",
  global: "[global] in ceph.conf",
  monitors: "ceph config set client",
  everywhere: "rbd config global set global",
  pool: "rbd config pool set",
} as const;
type Place = keyof typeof places;
const all = Object.keys(places) as Place[];

interface Row {
  title: string;
  settings: Record<string, string>;
  places: Place[];
  /** Commands that run first, without the settings; P stands for the pool. */
  given?: string[];
  run: string;
}

/** Settings that decide which data a command affects, where it is stored, and whether it can be undone. */
const rows: Row[] = [
  {
    title: "the pool that is meant where none is named",
    settings: { rbd_default_pool: "P" },
    places: all.filter((place) => place !== "pool"),
    given: ["create P/same --size 1M", "create rbd/same --size 2M"],
    run: "rm same --no-progress",
  },
  {
    title: "images that are removed go into the trash",
    settings: { rbd_move_to_trash_on_remove: "true" },
    places: all,
    given: ["create P/kept --size 1M", "snap create P/kept@s --no-progress"],
    run: "rm P/kept --no-progress",
  },
  {
    title: "and are kept there",
    settings: {
      rbd_move_to_trash_on_remove: "true",
      rbd_move_to_trash_on_remove_expire_seconds: "86400",
    },
    places: ["argument", "pool"],
    given: ["create P/kept --size 1M"],
    run: "rm P/kept --no-progress",
  },
  {
    title: "a parent whose snapshots are only there for its clones",
    settings: { rbd_move_parent_to_trash_on_remove: "true" },
    places: ["argument", "pool"],
    given: [
      ...["create P/parent --size 1M", "snap create P/parent@s --no-progress"],
      ...["clone P/parent@s P/clone --rbd-default-clone-format 2", "snap rm P/parent@s --no-progress"],
    ],
    run: "rm P/parent --no-progress",
  },
  ...["1", "2"].map((format) => ({
    title: `clones of format ${format}`,
    settings: { rbd_default_clone_format: format },
    places: [format === "1" ? "argument" : "pool"] satisfies Place[],
    given: [
      ...["create P/parent --size 1M", "snap create P/parent@s --no-progress", "snap protect P/parent@s"],
    ],
    run: "clone P/parent@s P/clone",
  })),
  {
    title: "where the data of new images goes",
    settings: { rbd_default_data_pool: "data" },
    places: ["monitors", "pool"],
    run: "create P/new --size 1M",
  },
  {
    title: "how new images are made",
    settings: {
      ...{ rbd_default_order: "20", rbd_default_features: "layering,exclusive-lock" },
      ...{ rbd_default_stripe_unit: "65536", rbd_default_stripe_count: "4" },
    },
    places: ["argument", "pool"],
    run: "create P/new --size 8M",
  },
  {
    title: "features as a number, without those for one writer",
    settings: { rbd_default_features: "61" },
    places: ["client"],
    run: "create P/new --size 8M --image-shared",
  },
  {
    title: "images of a format that there are none of any more",
    settings: { rbd_default_format: "1" },
    places: ["argument"],
    run: "create P/new --size 8M",
  },
  {
    title: "images of a format that is asked for, whatever the settings say",
    settings: { rbd_default_format: "1" },
    places: ["argument"],
    run: "create P/new --size 8M --image-format 2",
  },
];

for (const { title, settings, places: tried, given = [], run } of rows) {
  for (const place of tried) {
    test(`${title}: ${Object.keys(settings).join(", ")} by ${places[place]}`, async () => {
      const [ours, theirs] = [await outcome("siphon"), await outcome("rbd")];
      assert.deepEqual(ours.left, theirs.left, ours.said);
      assert.equal(ours.code, theirs.code, ours.said);
    });

    async function outcome(side: Side) {
      for (const line of given) await succeeds(rbd(...words(line, side)));
      await using where = await put(place, settings, side);
      const { code, stderr: said } = await runBy(side, [...words(run, side), ...where.args], where);
      const found = { code, said, left: await left(side) };
      await clear(side);
      return found;
    }
  }
}

test("--dry-run says that an image is moved to the trash, which keeps it until it expires", async () => {
  await succeeds(rbd("create", "apple/kept", "--size", "1M"));
  const settings = ["--rbd-move-to-trash-on-remove", "--rbd-move-to-trash-on-remove-expire-seconds", "3600"];
  const told = await siphon("rm", "apple/kept", "--dry-run", ...settings);
  assert.match(told.stdout, /^would put image into the trash: apple\/kept\n$/);
  await succeeds(siphon("rm", "apple/kept", ...settings));
  const [{ id }] = JSON.parse(await succeeds(rbd("trash", "ls", "apple", "--format", "json")));
  assert.equal((await siphon("trash", "rm", `apple/${id}`)).code, 1);
  await succeeds(siphon("trash", "rm", `apple/${id}`, "--force"));
});

test("a hint about an image in the trash names that image, not a new image of the same name", async () => {
  await succeeds(rbd("create", "apple/twin", "--size", "1M"));
  await succeeds(rbd("snap", "create", "apple/twin@s", "--no-progress"));
  await succeeds(rbd("trash", "mv", "apple/twin"));
  await succeeds(rbd("create", "apple/twin", "--size", "1M"));
  await succeeds(rbd("snap", "create", "apple/twin@precious", "--no-progress"));
  const [{ id }] = JSON.parse(await succeeds(rbd("trash", "ls", "apple", "--format", "json")));
  const { stderr, code } = await siphon("trash", "rm", `apple/${id}`);
  assert.equal(code, 39);
  const [, advice] = /siphon rbd (snap purge .*)/.exec(stderr) ?? assert.fail(stderr);
  await succeeds(siphon(...advice!.split(" ")));
  await succeeds(siphon("trash", "rm", `apple/${id}`));
  assert.match(await succeeds(rbd("snap", "ls", "apple/twin")), /precious/);
});

const asAdmin = () => ["--conf", cluster.conf, "--name", "client.admin"];
const rbd = (...args: string[]) => call("rbd", [...args, ...asAdmin()]);
const siphon = (...args: string[]) => worker.call([...args, ...asAdmin()]);

function words(line: string, side: Side): string[] {
  return line.split(" ").map((word) => word.replace(/^P(?=\/|$)/, pools[side]));
}

interface Where extends AsyncDisposable {
  args: string[];
  env: Record<string, string>;
  conf: string;
}

/** Makes settings in a place until it is disposed of. */
async function put(place: Place, settings: Record<string, string>, side: Side): Promise<Where> {
  const where = { args: [] as string[], env: {} as Record<string, string>, conf: cluster.conf };
  const undo: (() => Promise<unknown>)[] = [];
  const entries = Object.entries(settings).map(
    ([name, value]) => [name, value === "P" ? pools[side] : value] as const,
  );
  for (const [name, value] of entries) {
    if (place === "argument") where.args.push(`--${name.replaceAll("_", "-")}`, value);
    else if (place === "underscores") where.args.push(`--${name}=${value}`);
    else if (place === "CEPH_ARGS")
      where.env.CEPH_ARGS = `${where.env.CEPH_ARGS ?? ""} --${name}=${value}`.trim();
    else if (place === "monitors" || place === "everywhere") {
      const who = place === "monitors" ? "client" : "global";
      await succeeds(call("ceph", ["config", "set", who, name, value, ...asAdmin()]));
      undo.push(() => call("ceph", ["config", "rm", who, name, ...asAdmin()]));
    } else if (place === "pool") {
      await succeeds(rbd("config", "pool", "set", pools[side], name, value));
      undo.push(() => rbd("config", "pool", "rm", pools[side], name));
    } else {
      const section = { user: "client.admin", client: "client", global: "global" }[place];
      const conf = join(directory, `${side}.conf`);
      if (where.conf === cluster.conf) copyFileSync(cluster.conf, conf);
      where.conf = conf;
      const text = readFileSync(conf, "utf8");
      writeFileSync(conf, text.endsWith("\n") ? text : `${text}\n`);
      appendFileSync(conf, `[${section}]\n${name} = ${value}\n`);
    }
  }
  return {
    ...where,
    [Symbol.asyncDispose]: async () => {
      for (const each of undo) await each();
    },
  };
}

function runBy(side: Side, args: string[], { env, conf }: Where): Promise<Answer> {
  const whole = [...args, "--conf", conf, "--name", "client.admin"];
  return side === "siphon" ? worker.call(whole, env) : call("rbd", whole, { env });
}

/** The resulting state as rbd shows it, without ids and times. */
async function left(side: Side): Promise<unknown> {
  const json = async (...args: string[]) => JSON.parse(await succeeds(rbd(...args, "--format", "json")));
  const pool = pools[side];
  const names = (await json("ls", pool)) as string[];
  const images = await Promise.all(
    names.map(async (name) => {
      const { order, features, op_features, stripe_unit, stripe_count, data_pool, size } = await json(
        "info",
        `${pool}/${name}`,
      );
      return { name, order, features, op_features, stripe_unit, stripe_count, data_pool, size };
    }),
  );
  const trash = (await json("trash", "ls", pool, "--all", "--long")) as Record<string, string>[];
  return {
    images,
    trash: trash.map(({ name, source, status }) => ({ name, source, status: status?.split(" ")[0] })),
    inDefaultPool: await json("ls", "rbd"),
  };
}

async function clear(side: Side): Promise<void> {
  const pool = pools[side];
  const list = async (...args: string[]) => JSON.parse(await succeeds(rbd(...args, "--format", "json")));
  for (const name of ((await list("ls", pool)) as string[]).sort()) {
    await rbd("snap", "unprotect", `${pool}/${name}@s`);
    if (!/^parent/.test(name)) await succeeds(rbd("rm", `${pool}/${name}`, "--no-progress"));
  }
  for (const name of (await list("ls", pool)) as string[]) {
    await rbd("snap", "unprotect", `${pool}/${name}@s`);
    await rbd("snap", "purge", `${pool}/${name}`, "--no-progress");
    await succeeds(rbd("rm", `${pool}/${name}`, "--no-progress"));
  }
  for (const { id } of (await list("trash", "ls", pool, "--all")) as { id: string }[]) {
    await rbd("snap", "purge", "-p", pool, "--image-id", id, "--no-progress");
    await rbd("trash", "rm", `${pool}/${id}`, "--force", "--no-progress");
  }
  for (const name of (await list("ls", "rbd")) as string[]) await rbd("rm", `rbd/${name}`, "--no-progress");
}

async function succeeds(answer: Promise<Answer>): Promise<string> {
  const { code, stdout, stderr } = await answer;
  assert.equal(code, 0, stderr);
  return stdout;
}
