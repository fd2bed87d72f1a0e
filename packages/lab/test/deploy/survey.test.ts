import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInventory } from "../../src/deploy/inventory.ts";
import { obstacles, parseSurvey } from "../../src/deploy/survey.ts";
import { checkWipes, parseWipe } from "../../src/deploy/wipe.ts";
import { LabError } from "../../src/errors.ts";

const inventory = parseInventory({
  hosts: [{ name: "node1", address: "192.0.2.11", mon: true, osds: [{ device: "/dev/sdb" }] }],
});
const [host] = inventory.hosts;
const blank = "device\t/dev/sdb\tblock\nnode\t/dev/sdb\tdisk\t4000787030016\n";
const problems = (printed: string, wipe: string[] = []) =>
  obstacles(host, parseSurvey(printed), wipe.map(parseWipe));

test("a suitable host has no obstacles", () => {
  const printed = `distribution\tubuntu debian\n${blank}`;
  assert.deepEqual(problems(printed), []);
  const { distribution, directory } = parseSurvey(printed);
  assert.deepEqual([distribution, directory], [["ubuntu", "debian"], "absent"]);
});

test("missing programs are named, with the command that installs their packages", () => {
  const missing = "missing\tceph-mgr\nmissing\tceph-osd\nmissing\twipefs\nmissing\tlsblk\n";
  const named = "node1 lacks ceph-mgr, ceph-osd, wipefs, lsblk";
  assert.deepEqual(problems(`${missing}distribution\tdebian \n`), [
    `${named} (apt-get install ceph-mgr ceph-osd util-linux)`,
  ]);
  assert.deepEqual(problems(`${missing}distribution\trocky rhel centos fedora\n`), [
    `${named} (dnf install ceph-mgr ceph-osd util-linux)`,
  ]);
  assert.deepEqual(problems(missing), [`${named} (install ceph-mgr ceph-osd util-linux)`]);
});

test("a directory with a deployment or with anything else in it is left alone", () => {
  assert.deepEqual(problems(`directory\tdeployed\n${blank}`), [
    "node1 has a deployment in /var/lib/siphon/lab already",
  ]);
  assert.deepEqual(problems(`directory\ttaken\n${blank}`), ["node1 has other files in /var/lib/siphon/lab"]);
  assert.deepEqual(problems(`directory\tempty\n${blank}`), []);
});

test("a host that kills processes after logout cannot run daemons", () => {
  assert.match(problems(`ends-with-login\n${blank}`)[0], /^node1 ends what its users leave running/);
});

test("data is given up only on the very host and device that were named", () => {
  const held = `${blank}signature\txfs\n`;
  const refusal = ["on node1, /dev/sdb holds data (xfs)"];
  assert.deepEqual(problems(held), refusal);
  assert.deepEqual(problems(held, ["node1:/dev/sdc", "node2:/dev/sdb"]), refusal);
  assert.deepEqual(problems(held, ["node1:/dev/sdb"]), []);
});

test("what may be wiped is a device of an OSD in the inventory", () => {
  checkWipes(inventory, [parseWipe("node1:/dev/sdb")]);
  const isUsage = (error: unknown) => error instanceof LabError && error.code === "SIPHON_USAGE";
  for (const other of ["node1:/dev/sda", "node2:/dev/sdb"]) {
    assert.throws(() => checkWipes(inventory, [parseWipe(other)]), isUsage, other);
  }
  for (const text of ["/dev/sdb", "node1", "node1:", ":/dev/sdb", "node1:sdb"]) {
    assert.throws(() => parseWipe(text), isUsage, text);
  }
});
