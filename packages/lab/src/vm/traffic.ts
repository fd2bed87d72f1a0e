import { z } from "zod";
import type { Qmp } from "./qmp.ts";

const blockstats = z.array(
  z.object({ stats: z.object({ rd_bytes: z.number(), wr_bytes: z.number() }) }).loose(),
);

/**
 * Bytes read and written by all disks of a VM since its start, from QEMU's block layer, which does not see vhost-user
 * disks.
 */
export async function bytesInQemu(qmp: Qmp): Promise<number> {
  const disks = blockstats.parse(await qmp.execute("query-blockstats"));
  return disks.reduce((sum, { stats }) => sum + stats.rd_bytes + stats.wr_bytes, 0);
}
