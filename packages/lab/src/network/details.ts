/** A host on a network: a network namespace with a loopback and `eth0`. */
export interface NetworkHost {
  name: string;
  /** Its name for `ip netns`. */
  namespace: string;
  address: string;
}

/** A tap device on a network, for a guest to have an address there. */
export interface NetworkTap {
  name: string;
  interface: string;
  /** The guest's reserved address. */
  address: string;
}

/** Details in a network's lease, to find it and to remove it after a crash. */
export interface NetworkDetails extends Record<string, unknown> {
  /** The bridge's hardware address, which distinguishes it from another bridge of the same name. */
  mac: string;
  bridge?: string;
  subnet?: string;
  hosts?: NetworkHost[];
  taps?: NetworkTap[];
}
