import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { withoutHome } from "../../src/state/paths.ts";

const before = { ...process.env };
process.env.SIPHON_STATE_DIR = "/srv/some.where/state";
process.env.SIPHON_CACHE_DIR = join(homedir(), "own cache");
after(() => {
  for (const name of ["SIPHON_STATE_DIR", "SIPHON_CACHE_DIR"]) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
});

test("in all texts the directories of siphon and of the user lose their place", () => {
  const home = homedir();
  assert.deepEqual(
    withoutHome({
      command: `-drive file=rbd:p/i:conf=/srv/some.where/state/clusters/c/ceph.conf -kernel '${home}/own cache/k'`,
      notes: [`cannot open ${home}/x.qcow2: no such file`, home],
      slices: { ios: [1, 2.5] },
      ended: null,
      complete: true,
    }),
    {
      command:
        "-drive file=rbd:p/i:conf=~/.local/state/siphon/clusters/c/ceph.conf -kernel '~/.cache/siphon/k'",
      notes: ["cannot open ~/x.qcow2: no such file", "~"],
      slices: { ios: [1, 2.5] },
      ended: null,
      complete: true,
    },
  );
});

test("what only looks like them stays", () => {
  const others = [
    "/srv/some.where/states",
    "/srv/someXwhere/state",
    `/mnt${homedir()}/x`,
    `${homedir()}.old/x`,
  ];
  assert.deepEqual(withoutHome(others), others);
});
