import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import { RbdError } from "../../src/errors.ts";
import { ImageIo } from "../../src/io/image-io.ts";
import { Presence, staleError } from "../../src/io/presence.ts";
import { imageState } from "../support/image-states.ts";
import { MemoryOsd } from "../support/memory-osd.ts";
import { Requests } from "../support/requests.ts";

const link = { poolId: 1, namespace: "", imageId: "p", snapId: 1, overlap: 256 };

/** A clone whose parent has data in its first object, and goes when the test says so: as it does when the clone was flattened by others. */
async function openClone() {
  const osd = new MemoryOsd();
  let isThere = true;
  let questions = 0;
  const answers: { presence?: Error; renew?: Error } = {};
  const presence = new Presence(async () => {
    questions++;
    if (answers.presence !== undefined) throw answers.presence;
    await new Promise(setImmediate);
    if (!isThere) throw staleError("the parent");
  });
  const snapshot = { id: 1, name: "s", size: 256, flags: 0, isProtected: false, parent: undefined };
  const state = imageState({ id: "p", snapshots: new Map([[1, snapshot]]) });
  await new Requests(new ImageIo({ objecter: osd, state })).write(0, Buffer.alloc(64, 7));
  const parent = new ImageIo({ objecter: osd, state, snapId: 1, presence });
  const clone: ImageIo = new ImageIo({
    ...{ objecter: osd, state: imageState({ id: "c", parent: link }) },
    renew: async () => {
      if (answers.renew !== undefined) throw answers.renew;
      clone.parent = undefined;
      clone.state = imageState({ id: "c" });
    },
  });
  clone.parent = parent;
  const flattened = () => {
    isThere = false;
    osd.objects.set("rbd_data.c.0000000000000000", osd.objects.get("rbd_data.p.0000000000000000")!);
    osd.objects.delete("rbd_data.p.0000000000000000");
  };
  return { osd, clone, requests: new Requests(clone), flattened, answers, asked: () => questions };
}

test("data of a parent is read without a question, and zeros only once the parent was found to be there", async () => {
  const { requests, asked } = await openClone();
  assert.deepEqual(await requests.read(0, 64), Buffer.alloc(64, 7));
  assert.equal(asked(), 0);
  assert.deepEqual(await requests.read(64, 64), Buffer.alloc(64));
  assert.equal(asked(), 1);
});

test("those who ask at the same time ask once", async () => {
  const { requests, asked } = await openClone();
  const holes = Array.from({ length: 50 }, (_, i) => requests.read(64 + 3 * i, 3));
  for (const bytes of await Promise.all(holes)) assert.deepEqual(bytes, Buffer.alloc(3));
  assert.ok(asked() <= 2, `${asked()} questions`);
});

test("when the parent is gone the clone is looked at anew, and has the data itself", async () => {
  const { requests, flattened } = await openClone();
  flattened();
  assert.deepEqual(await requests.read(0, 64), Buffer.alloc(64, 7));
  const again = await openClone();
  again.flattened();
  assert.equal(await again.requests.write(3, Buffer.from("x")), 0);
  const expected = Buffer.alloc(64, 7);
  expected.write("x", 3);
  assert.deepEqual(again.osd.objects.get("rbd_data.c.0000000000000000"), expected);
});

test("a clone that is flattened while the OSD is asked for its object is read anew", async () => {
  const { osd, clone, requests, flattened } = await openClone();
  osd.held = [];
  const reading = requests.read(0, 64);
  flattened();
  await clone.renew!();
  osd.answer();
  assert.deepEqual(await reading, Buffer.alloc(64, 7));
});

test("a snapshot that was opened and is gone fails to be read", async () => {
  const osd = new MemoryOsd();
  const presence = new Presence(async () => {
    throw new RbdError("SIPHON_RBD_NO_SNAPSHOT", "gone");
  });
  const snapshot = { id: 1, name: "s", size: 256, flags: 0, isProtected: false, parent: undefined };
  const state = imageState({ snapshots: new Map([[1, snapshot]]) });
  const requests = new Requests(new ImageIo({ objecter: osd, state, snapId: 1, presence }));
  await assert.rejects(requests.read(0, 64), /-2/);
});

test("what keeps a parent from being confirmed, or looked at anew, is told by its own errno", async () => {
  const { requests, clone, answers } = await openClone();
  const noAnswer = new RadosError("SIPHON_RADOS_TIMEOUT", "no answer", { retryable: true });
  answers.presence = noAnswer;
  await assert.rejects(requests.read(64, 64), /: -110/);
  answers.presence = new RadosError("EBLOCKLISTED", "fenced");
  await assert.rejects(requests.read(64, 64), /: -108/);
  Object.assign(answers, { presence: staleError("the parent"), renew: noAnswer });
  await assert.rejects(requests.read(64, 64), /: -110/);
  assert.equal(await requests.write(64, Buffer.from("x")), -110);
  answers.renew = undefined;
  clone.beforeCopyUps = () => Promise.reject(noAnswer);
  assert.equal(await requests.write(3, Buffer.from("x")), -110);
});
