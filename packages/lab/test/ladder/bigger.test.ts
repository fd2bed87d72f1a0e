import assert from "node:assert/strict";
import { test } from "node:test";
import { biggerRungs } from "../../src/ladder/bigger.ts";
import { type PlannedClimb, planRungs } from "../../src/rungs/plan.ts";

const offers = { qemuMajor: 7, cpus: 2, tcmalloc: "/x", jemalloc: "/y" };

function rungsOf(names?: string[], noSecure?: string): string[] {
  const planned = planRungs("cumulative", { ...offers, noSecure }, names);
  const climbed = planned.filter((each): each is PlannedClimb => each.status === "planned");
  return biggerRungs(climbed).map(({ rung }) => rung.name);
}

test("the bigger test is made on the last rungs of librbd and of siphon, unencrypted and encrypted", () => {
  assert.deepEqual(rungsOf(), ["librados-threads", "siphon-vhost", "secure", "siphon-vhost-secure"]);
  assert.deepEqual(rungsOf(undefined, "this cluster has auth none"), ["librados-threads", "siphon-vhost"]);
});

test("of the rungs that are chosen: what stands beside the ladder counts only if there is nothing else", () => {
  assert.deepEqual(rungsOf(["ide", "cache-none", "jemalloc", "siphon-nbd"]), ["cache-none"]);
  assert.deepEqual(rungsOf(["jemalloc"]), ["jemalloc"]);
});
