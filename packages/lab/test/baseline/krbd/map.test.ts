import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mapping, mapHint, mapScript } from "../../../src/baseline/krbd/map.ts";

const mapping: Mapping = {
  monitors: ["192.0.2.1:10001", "192.0.2.1:10002"],
  user: "libvirt",
  key: "AQDNotAKey==",
  mode: "secure",
  pool: "libvirt-pool",
  image: "siphon-baseline",
};

test("the kernel is told monitors, user, mode and key in the form that sysfs takes", () => {
  assert.match(
    mapScript(mapping),
    /echo '?192\.0\.2\.1:10001,192\.0\.2\.1:10002 name=libvirt,ms_mode=secure,secret=AQDNotAKey== libvirt-pool siphon-baseline -'? >\$add/,
  );
  assert.doesNotMatch(mapScript({ ...mapping, key: undefined }), /secret=/);
});

test("the key is in no program's arguments, and not where messages quote a command", () => {
  const script = mapScript(mapping);
  assert.ok(!script.slice(0, 80).includes(mapping.key!));
  const line = script.split("\n").find((each) => each.includes(mapping.key!));
  assert.match(line!, /^echo /, "echo is a builtin of the shell");
});

test("a kernel that refuses a key of type aes256k may be too old for it", () => {
  const refused = "sh: write error: Invalid argument";
  const aes256k = { ...mapping, key: "AgAxNotAKey=" };
  assert.match(mapHint(aes256k, refused)!, /Linux 7\.0 .* --key-type aes/);
  assert.equal(mapHint(mapping, refused), undefined);
  assert.equal(mapHint({ ...mapping, key: undefined }, refused), undefined);
  assert.equal(mapHint(aes256k, "Connection timed out"), undefined);
});
