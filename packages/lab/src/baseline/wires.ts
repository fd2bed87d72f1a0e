import type { ClusterSpecInput } from "../cluster/spec.ts";
import type { WireMode } from "../cluster/wire-modes.ts";

/** Protocol between client and cluster: messenger, authentication, protection of frames. */
export interface Wire {
  title: string;
  /** Settings of a local cluster with this wire. */
  cluster: Pick<ClusterSpecInput, "auth" | "msgr" | "wire">;
  /** Settings of a client; a local cluster's configuration has them already. */
  clientOptions: Record<string, string>;
  /** The mode that connections must come up in; messenger v1 has none. */
  mode: WireMode | undefined;
  /** Name of the mode in the kernel's client. Source: Ceph's rbd(8), "ms_mode". */
  kernelMode: string;
}

/** The study's three wires, and `own`: the settings of an existing cluster and its ceph.conf. */
export const wireNames = ["v1-none", "v2-crc", "v2-secure", "own"] as const;
export type WireName = (typeof wireNames)[number];

export const wires: Record<WireName, Wire> = {
  "v1-none": {
    title: "v1, auth none",
    cluster: { auth: "none", msgr: "v1", wire: "crc" },
    clientOptions: {},
    mode: undefined,
    kernelMode: "legacy",
  },
  "v2-crc": {
    title: "v2, crc",
    cluster: { auth: "cephx", msgr: "v2", wire: "crc" },
    clientOptions: { ms_client_mode: "crc", ms_mon_client_mode: "crc" },
    mode: "crc",
    kernelMode: "crc",
  },
  "v2-secure": {
    title: "v2, secure",
    cluster: { auth: "cephx", msgr: "v2", wire: "secure" },
    clientOptions: { ms_client_mode: "secure", ms_mon_client_mode: "secure" },
    mode: "secure",
    kernelMode: "secure",
  },
  own: {
    title: "as the cluster has it",
    cluster: {},
    clientOptions: {},
    mode: undefined,
    kernelMode: "prefer-crc",
  },
};
