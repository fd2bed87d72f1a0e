import assert from "node:assert/strict";
import { test } from "node:test";
import type { OpenImage } from "../../src/image/open-image.ts";
import { Requests } from "../../src/image/requests.ts";
import { removeThroughOwner } from "../../src/maintenance/forsaken-snapshots.ts";
import { Settings } from "../../src/settings/settings.ts";
import {
  decodeNotifyMessage,
  encodeNotifyMessage,
  encodeResponse,
  type NotifyMessage,
  type RequestId,
} from "../../src/watch/notify-message.ts";

/** An image whose lock somebody else has; what is notified is answered when the test says so. */
function openImage() {
  const snapshots = new Map<number, object>();
  const notified: PromiseWithResolvers<number | undefined>[] = [];
  const asked: NotifyMessage[] = [];
  const told: object[] = [];
  const header = { name: "a", size: 1, parent: undefined, snapshots };
  const image = {
    ...{ header, readOnly: false, cluster: { globalId: 1n }, headerName: "rbd_header.a" },
    lock: { owned: false, whileOwned: async () => false, wake: () => {} },
    pool: {
      notify: async (_object: string, payload: Buffer) => {
        asked.push(decodeNotifyMessage(payload));
        const answer = Promise.withResolvers<number | undefined>();
        notified.push(answer);
        const result = await answer.promise;
        return { replies: result === undefined ? [] : [{ payload: encodeResponse(result) }], missed: [] };
      },
    },
    assertOpen: () => {},
    refresh: async () => {},
    watchCookie: async () => 7n,
    settings: new Settings({ setting: () => undefined }, new Map()),
    tell: async (message: object) => void told.push(message),
  };
  return { image: image as unknown as OpenImage, notified, asked, told, snapshots };
}

const namespace = { type: "user" } as const;
const taken = { id: 4, name: "s", namespace };
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function ask(requests: Requests): Promise<{ id: RequestId; done: Promise<void> }> {
  const id = await requests.newId();
  const done = requests.perform({ type: "snapCreate", id, name: "s", namespace, flags: 0 });
  await settled();
  return { id, done };
}

test("what the owner has done is known though its answer is still to come, and its progress came just before", async () => {
  const { image } = openImage();
  const requests = new Requests(image);
  const { id, done } = await ask(requests);
  await Promise.all([
    requests.serve(encodeNotifyMessage({ type: "asyncProgress", id, offset: 10, total: 100 })),
    requests.serve(encodeNotifyMessage({ type: "asyncComplete", id, result: 0 })),
  ]);
  await done;
  requests.close();
});

test("a failure that the owner tells after its answer is that of the task", async () => {
  const { image, notified } = openImage();
  const requests = new Requests(image);
  const { id, done } = await ask(requests);
  notified[0]!.resolve(0);
  await settled();
  await requests.serve(encodeNotifyMessage({ type: "asyncComplete", id, result: -122 }));
  await assert.rejects(done, { code: "SIPHON_RBD_REFUSED", errno: -122 });
  requests.close();
});

test("asked again after the owner has changed, what the first one did is not a failure", async () => {
  const { image, notified, snapshots } = openImage();
  const requests = new Requests(image);
  const { done } = await ask(requests);
  notified[0]!.resolve(0);
  await settled();
  const client = { gid: 2n, handle: 3n };
  await requests.serve(encodeNotifyMessage({ type: "releasedLock", client }));
  await settled();
  snapshots.set(4, taken);
  notified[1]!.resolve(-17);
  await done;
  requests.close();
});

test("a snapshot that was there before is one that is there already", async () => {
  const { image, notified, snapshots } = openImage();
  snapshots.set(4, taken);
  const requests = new Requests(image);
  const { done } = await ask(requests);
  notified[0]!.resolve(-17);
  await assert.rejects(done, { code: "SIPHON_RBD_REFUSED", errno: -17 });
  requests.close();
});

test("a snapshot that a dead owner left in the trash is removed for good; one with clones stays there", async () => {
  for (const childCount of [0, 1]) {
    const { image, notified, asked, snapshots } = openImage();
    snapshots.set(4, taken);
    const requests = new Requests(image);
    const done = removeThroughOwner({ ...image, requests } as unknown as OpenImage, taken);
    await settled();
    notified[0]!.resolve(0);
    await settled();
    const trash = { type: "trash", originalName: "s" } as const;
    snapshots.set(4, { id: 4, name: "a1b2", namespace: trash, childCount });
    await requests.serve(encodeNotifyMessage({ type: "releasedLock", client: { gid: 2n, handle: 3n } }));
    await settled();
    notified[1]!.resolve(-2);
    await settled();
    if (childCount === 0) {
      const last = asked[2]!;
      assert.ok(last.type === "snapRemove" && last.id !== undefined);
      assert.deepEqual([last.name, last.namespace], ["a1b2", trash]);
      await requests.serve(encodeNotifyMessage({ type: "asyncComplete", id: last.id, result: 0 }));
    }
    await done;
    assert.equal(asked.length, childCount === 0 ? 3 : 2);
    requests.close();
  }
});

test("a task that the owner does not know is done here, once the owner has given the lock away", async () => {
  const { image, notified } = openImage();
  const log: string[] = [];
  const lock = {
    ...{ owned: false, wake: () => {} },
    acquire: async () => {
      log.push("acquired");
      lock.owned = true;
    },
    whileOwned: async () => {
      if (lock.owned) log.push("done");
      return lock.owned;
    },
  };
  const requests = new Requests({ ...image, lock } as unknown as OpenImage);
  const { done } = await ask(requests);
  notified[0]!.resolve(-95);
  await done;
  assert.deepEqual(log, ["acquired", "done"]);
  requests.close();
});

test("what is asked for twice is done once, and its end told again", async () => {
  const { image, told } = openImage();
  let times = 0;
  const lock = {
    owned: true,
    whileOwned: async () => {
      times++;
      return true;
    },
  };
  const requests = new Requests({ ...image, lock } as unknown as OpenImage);
  const id = { gid: 5n, handle: 6n, request: 1n };
  const asked = encodeNotifyMessage({ type: "flatten", id });
  for (let n = 0; n < 2; n++) {
    assert.deepEqual(await requests.serve(asked), encodeResponse(0));
    await settled();
  }
  assert.equal(times, 1);
  assert.deepEqual(told, [
    { type: "asyncComplete", id, result: 0 },
    { type: "asyncComplete", id, result: 0 },
  ]);
  requests.close();
});
