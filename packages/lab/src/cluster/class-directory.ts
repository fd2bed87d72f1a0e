import { globSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where distributions keep libraries. */
const libraryDirectories = ["/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib"];

/**
 * The directory of the OSDs' object classes. Ceph's own default may be relative to the working directory (Debian's 18.2.7): an
 * OSD that does not run in / loads no class then, and every call of rbd fails with EOPNOTSUPP. Undefined where there is none in
 * the usual places.
 */
export function classDirectory(): string | undefined {
  const classes = libraryDirectories.map((directory) => join(directory, "rados-classes", "libcls_rbd.so"));
  const [found] = globSync(classes);
  return found && dirname(found);
}
