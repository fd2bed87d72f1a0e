import { releaseOf } from "../roots/releases.ts";
import { Root } from "../roots/root.ts";
import type { Finding } from "./finding.ts";

/** The roots in the cache. */
export async function lookAtRoots(): Promise<Finding[]> {
  const roots = await Root.list();
  const purpose = "clusters, QEMU and librbd of other releases: --ceph NAME, --qemu NAME, ladder --releases";
  if (roots.length === 0) {
    const fix = "siphon root build reef";
    return [{ name: "roots", status: "limited", found: "none", for: purpose, fix }];
  }
  return Promise.all(
    roots.map(async (root): Promise<Finding> => {
      const { ceph, qemu, librbd, libvirt, glibc } = await root.contents();
      const release = releaseOf(ceph);
      const parts = { Ceph: ceph, QEMU: qemu, librbd, libvirt, glibc };
      const versions = Object.entries(parts).flatMap(([name, version]) =>
        version ? [`${name} ${version}`] : [],
      );
      return {
        name: release === undefined ? root.name : `${root.name} (${release})`,
        status: "ok",
        found: `${versions.join(", ")} in ${root.directory}`,
        for: purpose,
      };
    }),
  );
}
