import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCrushMap } from "../../src/crush/decode.ts";
import { BUCKET_STRAW2 } from "../../src/crush/map.ts";
import { Straw2Chooser } from "../../src/crush/straw2.ts";
import { chooseStraw2 } from "../../src/crush/straw2-plain.ts";
import { crushVectors } from "../vectors/crush-maps.ts";

test("an item is chosen without the kernel as with it, which takes over after some thousand items", () => {
  let items = 0;
  for (const { map: encoded } of crushVectors()) {
    const map = decodeCrushMap(Buffer.from(encoded, "base64"));
    const chooser = new Straw2Chooser(map);
    for (const bucket of map.buckets) {
      if (bucket?.algorithm !== BUCKET_STRAW2 || bucket.size === 0) continue;
      for (let x = 0; x < 300; x++) {
        const r = x % 7;
        const input = Math.imul(x, 2654435761);
        assert.equal(
          chooseStraw2(bucket, input, r),
          chooser.choose(bucket, input, r, undefined, 0),
          `bucket ${bucket.id}, input ${input}, attempt ${r}`,
        );
        items += bucket.size;
      }
    }
  }
  assert.ok(items > 10_000, `${items}`);
});
