import assert from "node:assert/strict";
import { test } from "node:test";
import { CephClient } from "../../src/ceph/client.ts";
import { requireOwnImage } from "../../src/ceph/existing.ts";
import { LabError } from "../../src/errors.ts";

const client = new CephClient({ conf: "/etc/ceph/ceph.conf", user: "vm", pool: "p", namespace: "n" });

test("images are siphon's by their name, and others need the user's word", () => {
  requireOwnImage(client, "siphon-ladder-1");
  requireOwnImage(client, "production", true);
  assert.throws(
    () => requireOwnImage(client, "production"),
    (error) => {
      return (
        error instanceof LabError && error.code === "SIPHON_REFUSED" && /p\/n\/production/.test(error.message)
      );
    },
  );
});
