import { type EntityAddr, type Reader, readEntityAddrVec, readUtime, readUuid } from "@siphon/wire";

export interface MonInfo {
  /** Without `mon.`. */
  name: string;
  addrs: EntityAddr[];
}

/** The monitors of a cluster, in the order of their ranks. */
export interface MonMap {
  epoch: number;
  fsid: string;
  mons: MonInfo[];
}

/**
 * MonMap (src/mon/MonMap.h), versions 6 to 9:
 *
 *     versioned(9) { fsid, u32 epoch, utime last changed, utime created, mon_feature_t persistent, optional,
 *       map of string to mon_info_t, from version 7 on list of strings: names by rank, ... }
 *     mon_feature_t: versioned(1) { u64 }
 *     mon_info_t: versioned(5) { string name, entity_addrvec_t, ... }
 */
export function readMonMap(r: Reader): MonMap {
  return r.versioned("MonMap", 9, (_, version) => {
    if (version < 6) throw r.malformed(`version ${version} of the encoding, from before Nautilus`);
    const fsid = readUuid(r);
    const epoch = r.u32();
    readUtime(r);
    readUtime(r);
    skipMonFeatures(r);
    skipMonFeatures(r);
    const byName = r.map(
      4 + 6,
      () => r.string(),
      () => readMonInfo(r),
    );
    const mons = [...byName.values()];
    if (version >= 7) {
      const ranks = r.list(4, () => r.string());
      mons.sort((a, b) => ranks.indexOf(a.name) - ranks.indexOf(b.name));
    }
    return { epoch, fsid, mons };
  });
}

function readMonInfo(r: Reader): MonInfo {
  return r.versioned("mon_info_t", 6, () => ({ name: r.string(), addrs: readEntityAddrVec(r) }));
}

function skipMonFeatures(r: Reader): void {
  r.versioned("mon_feature_t", 1, () => r.u64());
}
