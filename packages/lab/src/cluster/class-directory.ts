import { dirname, join } from "node:path";
import { filesOf, libraryDirectories, type Platform } from "../host/platform.ts";

/**
 * The directory of the OSDs' object classes, as OSDs of the platform see it. Ceph's own default may be relative to the working
 * directory (Debian's 18.2.7): an OSD that does not run in / loads no class then, and every call of rbd fails with EOPNOTSUPP.
 * Undefined where there is none in the usual places.
 */
export function classDirectory(platform: Platform): string | undefined {
  const [found] = filesOf(
    platform,
    libraryDirectories.map((directory) => join(directory, "rados-classes", "libcls_rbd.so")),
  );
  return found && dirname(found);
}
