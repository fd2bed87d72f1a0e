/**
 * Changes of the environment of every Ceph program, and of every program with librados in it: variables that would point it at
 * another cluster or another user are removed.
 */
export const cephEnvironment: Record<string, undefined> = {
  CEPH_CONF: undefined,
  CEPH_ARGS: undefined,
  CEPH_KEYRING: undefined,
};
