import { dirname, join } from "node:path";
import { filesOf, libraryDirectories, type Platform } from "../host/platform.ts";

/**
 * The directory of the OSDs' object classes, as seen by OSDs of the platform. Ceph's default may be relative to the
 * working directory (Debian's 18.2.7): then an OSD that does not run in / loads no class, and every rbd call fails with
 * EOPNOTSUPP. Undefined if it is not in a usual place.
 */
export function classDirectory(platform: Platform): string | undefined {
  const [found] = filesOf(
    platform,
    libraryDirectories.map((directory) => join(directory, "rados-classes", "libcls_rbd.so")),
  );
  return found && dirname(found);
}
