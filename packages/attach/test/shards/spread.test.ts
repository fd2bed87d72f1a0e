import assert from "node:assert/strict";
import { test } from "node:test";
import { formatImageSpec, parseImageSpec } from "../../src/server/image-spec.ts";
import { spread } from "../../src/shards/spread.ts";

const images = ["pool/a", "pool/b", "pool/c", "pool/d", "pool/e"].map(parseImageSpec);
const sockets = images.map(({ image }) => `/run/${image}`);

test("images are dealt out in turn, each with its own sockets, and every shard gets the rest of the request", () => {
  const nbd = sockets.map((path) => ({ path: `${path}.nbd` }));
  const parts = spread({ images, vhost: sockets, nbd, queues: 4, readOnly: true }, 2);
  assert.deepEqual(
    parts.map((part) => part.images.map(formatImageSpec)),
    [
      ["pool/a", "pool/c", "pool/e"],
      ["pool/b", "pool/d"],
    ],
  );
  assert.deepEqual(parts[1], {
    images: [images[1], images[3]],
    vhost: ["/run/b", "/run/d"],
    nbd: [{ path: "/run/b.nbd" }, { path: "/run/d.nbd" }],
    queues: 4,
    readOnly: true,
  });
});

test("one shard serves everything, on one NBD socket if need be", () => {
  const nbd = [{ path: "/run/all" }];
  assert.deepEqual(spread({ images, nbd }, 1), [{ images, nbd, vhost: [] }]);
});

test("an NBD socket is not shared by shards", () => {
  assert.throws(() => spread({ images, nbd: [{ path: "/run/all" }] }, 2), {
    code: "SIPHON_USAGE",
    message: "2 shards cannot share an NBD socket",
    hint: "name one NBD socket for each image, in the same order",
  });
});

test("no shard is without an image, and their number is one", () => {
  assert.throws(() => spread({ images, vhost: sockets }, 6), {
    code: "SIPHON_USAGE",
    message: "5 images cannot be spread over 6 shards",
  });
  for (const shards of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => spread({ images, vhost: sockets }, shards), { code: "SIPHON_USAGE" });
  }
});

test("sockets that do not go with the images are refused before anything starts", () => {
  assert.throws(() => spread({ images, vhost: ["/run/a"] }, 2), { code: "SIPHON_USAGE" });
  assert.throws(() => spread({ images, nbd: [{ path: "/1" }, { path: "/2" }] }, 2), {
    message: "5 images and 2 NBD sockets",
  });
  assert.throws(() => spread({ images }, 2), { message: "no socket to attach to" });
});
