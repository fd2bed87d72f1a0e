import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseOf, rootSource } from "../../src/roots/releases.ts";

test("a suite and the release of Ceph in it are one root", () => {
  const trixie = { from: "debian", name: "trixie", suite: "trixie" };
  assert.deepEqual(rootSource("trixie"), trixie);
  assert.deepEqual(rootSource("Reef"), trixie);
  assert.equal(rootSource("pacific").name, "bookworm");
  assert.equal(rootSource("tentacle").name, "sid");
  assert.equal(rootSource("unstable").name, "sid");
});

test("a release that no suite has comes from Ceph's container image", () => {
  assert.deepEqual(rootSource("squid"), { from: "image", name: "squid", image: "quay.io/ceph/ceph:v19" });
  const { name } = rootSource("quay.io/ceph/ceph:v19.2.3");
  assert.equal(name, "ceph-v19.2.3");
});

test("a name that is none is refused with those that are", () => {
  assert.throws(() => rootSource("buster9"), { code: "SIPHON_USAGE", hint: /pacific.*bookworm/ });
});

test("a version of Ceph tells its release", () => {
  assert.equal(releaseOf("18.2.7"), "reef");
  assert.equal(releaseOf("20.2.4-1~deb"), "tentacle");
  assert.equal(releaseOf(undefined), undefined);
});
