import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Cluster, type Pool, RadosError, type WriteOperation } from "@siphon/rados";
import { createOldImage, renameOldImage } from "../../src/directory/old-image.ts";
import { decodeOldHeader, encodeOldHeader } from "../../src/header/old-header.ts";

const cluster = { globalId: 4123 } as unknown as Cluster;
const variable = "RBD_FORCE_ALLOW_V1";
const given = process.env[variable];

before(() => {
  process.env[variable] = "1";
});

after(() => {
  if (given === undefined) delete process.env[variable];
  else process.env[variable] = given;
});

/** A pool in memory: what was done to it, in order; `fault` fails what it names. */
function poolOf(objects: Record<string, Buffer>, { fault = "", namespace = "" } = {}) {
  const log: string[] = [];
  const done = (what: string) => {
    if (what === fault) throw new RadosError("EIO", what);
    log.push(what);
  };
  const pool = {
    namespace,
    read: async (name: string) => objects[name],
    operate: async (name: string, { ops }: WriteOperation) => {
      const input = ops.at(-1)!.input as Buffer;
      if (name !== "rbd_directory") {
        done(`write ${name}`);
        objects[name] = input;
      } else done(`directory ${input.toString("latin1").replaceAll("\0", "")}`);
    },
    remove: async (name: string) => {
      done(`remove ${name}`);
      delete objects[name];
    },
    notify: async (name: string) => done(`notify ${name}`),
  };
  return { pool: pool as unknown as Pool, log };
}

const shape = { size: 9 << 20, order: 22 };

test("an image of format 1 is made only where the environment asks for it, and in no namespace", async () => {
  const refused = { code: "SIPHON_RBD_INVALID", errno: -22 };
  const { pool, log } = poolOf({}, { namespace: "tenant" });
  await assert.rejects(createOldImage(cluster, pool, "old", shape), refused);
  delete process.env[variable];
  const plain = poolOf({});
  await assert.rejects(createOldImage(cluster, plain.pool, "old", shape), refused);
  process.env[variable] = "1";
  assert.deepEqual([...log, ...plain.log], []);
});

test("a new image of format 1 is in the directory, and in its header", async () => {
  const objects: Record<string, Buffer> = {};
  const { pool, log } = poolOf(objects);
  await createOldImage(cluster, pool, "old", shape);
  assert.deepEqual(log, ["directory s\x03old", "write old.rbd"]);
  const { size, order, objectPrefix } = decodeOldHeader(objects["old.rbd"]!, "old");
  assert.deepEqual({ size, order }, shape);
  assert.match(objectPrefix, /^rb\.0\.101b\.[0-9a-f]{8}$/);
});

test("an image of format 1 without a header leaves no name behind", async () => {
  const { pool, log } = poolOf({}, { fault: "write old.rbd" });
  await assert.rejects(createOldImage(cluster, pool, "old", shape), { code: "EIO" });
  assert.deepEqual(log, ["directory s\x03old", "directory r\x03old"]);
});

test("the header of a renamed image of format 1 is there before the old one goes", async () => {
  const header = encodeOldHeader({ ...shape, objectPrefix: "rb.0.1.2" });
  const objects: Record<string, Buffer> = { "old.rbd": header };
  const { pool, log } = poolOf(objects);
  await renameOldImage(pool, "old", "aged");
  assert.deepEqual(log, [
    ...["write aged.rbd", "directory s\x04agedr\x03old"],
    ...["notify old.rbd", "remove old.rbd"],
  ]);
  assert.deepEqual(objects, { "aged.rbd": header });
});

test("an image of format 1 keeps its name and its header if the directory cannot be changed", async () => {
  const header = encodeOldHeader({ ...shape, objectPrefix: "rb.0.1.2" });
  const objects: Record<string, Buffer> = { "old.rbd": header };
  const { pool, log } = poolOf(objects, { fault: "directory s\x04agedr\x03old" });
  await assert.rejects(renameOldImage(pool, "old", "aged"), { code: "EIO" });
  assert.deepEqual(log, ["write aged.rbd", "remove aged.rbd"]);
  assert.deepEqual(objects, { "old.rbd": header });
});
