import { type EntityAddr, type Reader, readEntityAddrVec } from "@siphon/wire";

/** The part of the MgrMap that a client needs: where the active manager is. */
export interface MgrMap {
  epoch: number;
  activeName: string;
  activeAddrs: EntityAddr[];
  /** Whether it answers yet. */
  available: boolean;
}

/**
 * MMgrMap (src/messages/MMgrMap.h), a MgrMap (src/mon/MgrMap.h): versioned(6+) { u32 epoch, entity_addrvec_t
 * of the active one, u64 its global id, u8 available, string its name, ... }
 */
export function readMgrMap(r: Reader): MgrMap {
  return r.versioned("MgrMap", 14, () => {
    const epoch = r.u32();
    const activeAddrs = readEntityAddrVec(r);
    r.u64();
    return { epoch, activeAddrs, available: r.bool(), activeName: r.string() };
  });
}
