/** Environment changes for every program with librados: removes variables that select another cluster or user. */
export const cephEnvironment: Record<string, undefined> = {
  CEPH_CONF: undefined,
  CEPH_ARGS: undefined,
  CEPH_KEYRING: undefined,
};
