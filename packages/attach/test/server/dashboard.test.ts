import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

test("the dashboard asks for metrics that there are, and for each of them", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const dashboard = read("../../../../packaging/grafana/siphon-attach.json");
  const { panels } = JSON.parse(dashboard) as { panels: { targets: { expr: string }[] }[] };
  const asked = panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) => expr.match(/siphon_attach_\w+/g)),
  );
  const told = read("../../src/server/prometheus.ts").match(/siphon_attach_\w+/g);
  const family = (name: string | null) => name!.replace(/_bucket$/, "");
  assert.deepEqual(new Set(asked.map(family)), new Set(told));
});
