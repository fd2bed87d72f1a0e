/** Whether a storage pool that is not shown seems to be RBD, by its name; CephFS is not. */
export function looksLikeRbd(name: string): boolean {
  return /ceph(?!-?fs)|rbd/i.test(name);
}
