import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { test } from "node:test";
import type { ImageNotice } from "@siphon/rbd";
import { logNotices } from "../../src/server/notices.ts";

test("what holds an image's writes back is told with its reason, and its end", () => {
  const lines: (string | undefined)[][] = [];
  const listening = logNotices((line, about) => void lines.push([about?.event, about?.image, line]));
  const tell = (notice: ImageNotice) => channel("siphon:rbd:image").publish(notice);
  tell({ event: "unwatched", image: "disk", error: new Error("no answer") });
  tell({ event: "watched", image: "disk" });
  tell({ event: "stale", image: "disk", error: new Error("no answer") });
  tell({ event: "current", image: "disk" });
  tell({ event: "single", image: "disk", error: new Error("v1") });
  tell({ event: "worker", image: "disk", error: new Error("a worker ended") });
  listening[Symbol.dispose]();
  tell({ event: "stale", image: "disk" });
  assert.deepEqual(
    lines.map(([event, image]) => `${event} ${image}`),
    ["unwatched disk", "watched disk", "stale disk", "current disk", "single disk", "worker disk"],
  );
  assert.match(lines[0]![2]!, /watch on its header was lost; writes wait until it is back: no answer/);
});
