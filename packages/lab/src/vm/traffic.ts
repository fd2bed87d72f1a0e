import { z } from "zod";
import type { Qmp } from "./qmp.ts";

const blockstats = z.array(
  z.object({ stats: z.object({ rd_bytes: z.number(), wr_bytes: z.number() }) }).loose(),
);

/** Bytes that all disks of a VM have read and written since it began, as QEMU's block layer counts them; it sees nothing of vhost-user disks. */
export async function bytesInQemu(qmp: Qmp): Promise<number> {
  const disks = blockstats.parse(await qmp.execute("query-blockstats"));
  return disks.reduce((sum, { stats }) => sum + stats.rd_bytes + stats.wr_bytes, 0);
}
