import { type ClusterSpecInput, LabError, LocalCluster } from "@siphon/lab";

/** The five combinations of messenger version and authentication. */
export const liveModes = {
  "v1/none": { msgr: "v1", auth: "none" },
  "v1/cephx": { msgr: "v1", auth: "cephx" },
  "v2/none": { msgr: "v2", auth: "none" },
  "v2/cephx/crc": { msgr: "v2", auth: "cephx", wire: "crc" },
  "v2/cephx/secure": { msgr: "v2", auth: "cephx", wire: "secure" },
} as const satisfies Record<string, ClusterSpecInput>;

export type LiveMode = keyof typeof liveModes;

/** Seconds for clients to connect to the monitors and to get a reply, on a busy machine. */
export const patientClients = { client_mount_timeout: 600, rados_mon_op_timeout: 600 };

/** Starts a real cluster for tests: three monitors, one OSD. */
export async function upForTest(name: string, spec: ClusterSpecInput): Promise<LocalCluster> {
  const small = { name, mons: 3, osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  // The setting of clusters since CVE-2021-20288: a client that reconnects must prove its old identity.
  const reclaim = spec.auth === "cephx" && { auth_allow_insecure_global_id_reclaim: "false" };
  for (let tries = 3; ; tries--) {
    try {
      return await LocalCluster.up({ ...small, ...spec, settings: { ...reclaim, ...spec.settings } });
    } catch (error) {
      // Over v1 without authentication, an OSD may send before it knows the cluster, and then exits.
      const died = error instanceof LabError && error.code === "SIPHON_DAEMON_DIED";
      if (!died || tries === 1) throw error;
    }
  }
}
