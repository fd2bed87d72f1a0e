/** A host on a network: a namespace of its own, with a loopback and `eth0`. */
export interface NetworkHost {
  name: string;
  /** As `ip netns` names it. */
  namespace: string;
  address: string;
}

/** A tap device on a network, for a guest to have an address there. */
export interface NetworkTap {
  name: string;
  interface: string;
  /** The address that is the guest's to take; nobody else on the network gets it. */
  address: string;
}

/** Details in a network's lease, for finding it and for removing it after a crash. */
export interface NetworkDetails extends Record<string, unknown> {
  /** The bridge's hardware address: what tells ours from another network's of the same name. */
  mac: string;
  bridge?: string;
  subnet?: string;
  hosts?: NetworkHost[];
  taps?: NetworkTap[];
}
