import type { CephClient } from "../ceph/client.ts";
import { cephEnvironment } from "../ceph/environment.ts";

/** The environment in which fio's rbd engine finds a client's cluster: it takes the configuration from nowhere else. */
export function rbdEngineEnvironment(client: CephClient): Record<string, string | undefined> {
  return { ...cephEnvironment, ...client.environment, CEPH_CONF: client.target.conf };
}
