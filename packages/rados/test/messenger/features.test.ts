import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type FeatureName,
  featureMask,
  requiredFeatures,
  supportedFeatures,
} from "../../src/messenger/features.ts";

const has = (...names: FeatureName[]) =>
  (supportedFeatures & featureMask(...names)) === featureMask(...names);

/** ceph_release_features in src/common/ceph_strings.cc: what `ceph features` counts clients by. */
const demanded: Record<string, FeatureName[]> = {
  hammer: [
    "CRUSH_TUNABLES",
    "CRUSH_TUNABLES2",
    "OSDHASHPSPOOL",
    "CRUSH_TUNABLES3",
    "OSD_CACHEPOOL",
    "CRUSH_V4",
  ],
  kraken: ["CRUSH_TUNABLES5", "MSG_ADDR2"],
  luminous: ["SERVER_LUMINOUS", "SERVER_JEWEL"],
  reef: ["SERVER_REEF", "SERVER_JEWEL", "SERVER_MIMIC"],
  squid: ["CRUSH_MSR", "SERVER_JEWEL"],
  tentacle: ["SERVER_TENTACLE", "SERVER_JEWEL"],
};

for (const [release, names] of Object.entries(demanded)) {
  test(`clusters that demand clients of ${release} let this one in`, () => assert.ok(has(...names)));
}

test("what belongs to file systems, gateways or daemons among themselves is not announced", () => {
  // UID, FLOCK, DIRLAYOUTHASH, OS_PERF_STAT_NS, OSD_PGLOG_HARDLIMIT, OSD_FIXED_COLLECTION_LIST, RECOVERY_RESERVATION_2,
  // REPLY_CREATE_INODE, MDSENC, EXPORT_PEER, MDS_INLINE_DATA, NVMEOFHA, NVMEOFHAMAP, MDS_QUOTA, retired ones,
  // OSD_RECOVERY_DELETES, and the two that never are
  const foreign = [0, 3, 7, 17, 19, 22, 24, 27, 29, 37, 40, 44, 45, 47, 51, 52, 53, 54, 55, 60, 62, 63];
  for (const bit of foreign) assert.equal((supportedFeatures >> BigInt(bit)) & 1n, 0n, `bit ${bit}`);
});

test("daemons must be of Luminous or newer", () => {
  assert.equal(requiredFeatures, (1n << 21n) | (1n << 57n));
});
