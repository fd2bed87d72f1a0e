import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import { completeOrDiscard } from "../../src/directory/complete-or-discard.ts";
import { RbdError } from "../../src/errors.ts";
import type { Images } from "../../src/images.ts";

const full = new RadosError("ENOSPC", "the pool is full");

function imagesOf(discard: () => Promise<void>) {
  const discarded: string[] = [];
  const images = {
    discard: (id: string) => {
      discarded.push(id);
      return discard();
    },
  };
  return { images: images as unknown as Images, discarded };
}

test("what was made is removed by its id if it cannot be completed, and kept otherwise", async () => {
  const { images, discarded } = imagesOf(async () => {});
  assert.equal(await completeOrDiscard(images, "1a", async () => "made"), "made");
  assert.deepEqual(discarded, []);
  await assert.rejects(
    completeOrDiscard(images, "1a", () => Promise.reject(full)),
    full,
  );
  assert.deepEqual(discarded, ["1a"]);
});

test("why it cannot be completed is told, and not why its remains cannot be removed", async () => {
  const busy = new RbdError("SIPHON_RBD_BUSY", "another client has it open");
  const { images } = imagesOf(() => Promise.reject(busy));
  await assert.rejects(
    completeOrDiscard(images, "1a", () => Promise.reject(full)),
    full,
  );
  const fault = new TypeError("a fault of this program");
  await assert.rejects(
    completeOrDiscard(imagesOf(() => Promise.reject(fault)).images, "1a", () => Promise.reject(full)),
    fault,
  );
});
