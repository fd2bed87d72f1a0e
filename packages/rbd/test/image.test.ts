import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import { Image } from "../src/image.ts";
import { HeaderObject } from "./support/header-object.ts";

test("closing says that acknowledged writes failed, also where the lock cannot be released either", async () => {
  const object = new HeaderObject();
  const { cluster, pool } = object.clientOf(4n);
  const image = await Image.open(cluster, pool, "a", "a", { cache: { policy: "writeback" } });
  // With the lock, which the first one takes, writes are acknowledged before they last.
  await image.write(0, Buffer.alloc(64, 1));
  object.osd.fault = () => -28;
  await image.write(0, Buffer.alloc(64, 2));
  object.lock.before = (what) => {
    if (what === "unlock") throw new RadosError("SIPHON_RADOS_CLOSED", "the handle was closed");
  };
  await assert.rejects(image.close(), { code: "ENOSPC" });
});
