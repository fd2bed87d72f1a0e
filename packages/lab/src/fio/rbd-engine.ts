import type { CephClient } from "../ceph/client.ts";
import { cephEnvironment } from "../ceph/environment.ts";

/** The environment for fio's rbd engine, its only source of a client's configuration. */
export function rbdEngineEnvironment(client: CephClient): Record<string, string | undefined> {
  return { ...cephEnvironment, ...client.environment, CEPH_CONF: client.target.conf };
}
