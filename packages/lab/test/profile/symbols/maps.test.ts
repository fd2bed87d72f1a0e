import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMaps, readMaps, regionOf } from "../../../src/profile/symbols/maps.ts";

const text = `556fbb0e0000-556fbb310000 rw-p 00000000 00:00 0                          [heap]
7f90a0000000-7f90a0021000 r-xp 00000000 00:00 0 
7ff3e1600000-7ff3e1845000 r--p 00000000 fe:00 131127                     /usr/lib/ceph/libceph-common.so.2
7ff3e1845000-7ff3e1e93000 r-xp 00245000 fe:00 131127                     /usr/lib/ceph/libceph-common.so.2
7ff3e2000000-7ff3e2001000 r-xp 00000000 fe:00 4                          /opt/a b.so (deleted)
7ffeb7f3c000-7ffeb7f3e000 r-xp 00000000 00:00 0                          [vdso]
`;

test("executable regions are found with their files", () => {
  assert.deepEqual(
    parseMaps(text).map(({ path }) => path),
    ["", "/usr/lib/ceph/libceph-common.so.2", "/opt/a b.so", "[vdso]"],
  );
});

test("an address belongs to the region that holds it, whose end is outside", () => {
  const regions = parseMaps(text);
  assert.equal(regionOf(regions, 0x7ff3e1845000n)?.path, "/usr/lib/ceph/libceph-common.so.2");
  assert.equal(regionOf(regions, 0x7ff3e1e92fffn)?.path, "/usr/lib/ceph/libceph-common.so.2");
  assert.equal(regionOf(regions, 0x7ff3e1e93000n), undefined);
});

test("the map of a running process is read, that of none is not", () => {
  assert.ok(parseMaps(readMaps(process.pid)!).some(({ path }) => path === process.execPath));
  assert.equal(readMaps(2 ** 22 + 1), undefined);
});
