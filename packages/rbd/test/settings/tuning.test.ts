import assert from "node:assert/strict";
import { test } from "node:test";
import { type ObjectRequest, opCode, requestFlag } from "@siphon/rados/engine";
import { ImageIo } from "../../src/io/image-io.ts";
import { Settings } from "../../src/settings/settings.ts";
import { tuningOf } from "../../src/settings/tuning.ts";
import { imageState } from "../support/image-states.ts";
import { MemoryOsd } from "../support/memory-osd.ts";
import { Requests } from "../support/requests.ts";

const settings = (said: Record<string, string>) => new Settings({ setting: (name) => said[name] }, new Map());

/** What requests to the objects of an image with these settings look like. */
function open(said: Record<string, string>) {
  const osd = new MemoryOsd();
  const seen: { flags: number; hint: number | undefined }[] = [];
  const objecter = {
    submit(request: ObjectRequest) {
      const { ops } = request;
      const hint = Array.from({ length: ops.count }, (_, op) => op).find(
        (op) => ops.code(op) === opCode.setAllocHint,
      );
      seen.push({
        flags: request.flags,
        hint: hint === undefined ? undefined : ops.view.getUint32(hint * 38 + 6 + 16, true),
      });
      osd.submit(request);
    },
  };
  const tuning = tuningOf(settings(said), "head");
  return { osd, seen, image: new Requests(new ImageIo({ objecter, state: imageState(), tuning })) };
}

test("reads go to the OSDs that the settings say: all of them, those of snapshots, those of parents", () => {
  const flags = (reads: "head" | "snapshot" | "parent", said: Record<string, string>) =>
    tuningOf(settings(said), reads).readFlags;
  const { balanceReads, localizeReads } = requestFlag;
  assert.equal(flags("head", {}), 0);
  assert.equal(flags("head", { rbd_read_from_replica_policy: "balance" }), balanceReads);
  assert.equal(flags("parent", { rbd_read_from_replica_policy: "localize" }), localizeReads);
  assert.equal(flags("head", { rbd_balance_snap_reads: "true" }), 0);
  assert.equal(flags("snapshot", { rbd_balance_snap_reads: "true" }), balanceReads);
  assert.equal(flags("snapshot", { rbd_localize_snap_reads: "true" }), localizeReads);
  assert.equal(flags("snapshot", { rbd_balance_parent_reads: "true" }), 0);
  assert.equal(flags("parent", { rbd_balance_parent_reads: "true" }), balanceReads);
  assert.equal(flags("parent", { rbd_localize_parent_reads: "true" }), localizeReads);
});

test("a read carries its flags, and a write does not", async () => {
  const { seen, image } = open({ rbd_read_from_replica_policy: "balance" });
  await image.write(0, Buffer.alloc(16, 1));
  await image.read(0, 16);
  assert.deepEqual(
    seen.map(({ flags }) => (flags & requestFlag.balanceReads) !== 0),
    [false, true],
  );
});

test("writes carry the hint, with what it says of compression, or none", async () => {
  for (const [said, hint] of [
    [{}, 0],
    [{ rbd_compression_hint: "compressible" }, 256],
    [{ rbd_compression_hint: "incompressible" }, 512],
    [{ rbd_enable_alloc_hint: "false", rbd_compression_hint: "compressible" }, undefined],
  ] as const) {
    const { seen, image } = open(said);
    await image.write(0, Buffer.alloc(16, 1));
    assert.equal(seen[0]!.hint, hint, JSON.stringify(said));
  }
});

test("discards keep what does not fill a unit, unless they are to be exact", () => {
  const granularity = (said: Record<string, string>) => tuningOf(settings(said), "head").discardGranularity;
  assert.equal(granularity({}), 65_536);
  assert.equal(granularity({ rbd_discard_granularity_bytes: "8192" }), 8192);
  assert.equal(granularity({ rbd_skip_partial_discard: "false" }), 0);
});
