import { after, before, describe } from "node:test";
import type { LocalCluster } from "@siphon/lab";
import { Cluster, type Pool } from "@siphon/rados";
import { type LiveMode, liveModes, upForTest } from "../../support/rados/live-modes.ts";
import { objectSuite } from "../../support/rados/object-suite.ts";

for (const mode of Object.keys(liveModes) as LiveMode[]) {
  describe(mode, () => {
    let ceph: LocalCluster;
    let cluster: Cluster;
    let pool: Pool;

    before(async () => {
      ceph = await upForTest(`objects-${mode.replaceAll("/", "-")}`, { ...liveModes[mode], mons: 1 });
      cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
      await cluster.createPool({ name: "objects", pgs: 8, size: 1 });
      pool = await cluster.pool("objects");
    });

    after(async () => {
      cluster?.close();
      await ceph?.down();
    });

    objectSuite(() => ({ cluster, pool }));
  });
}
