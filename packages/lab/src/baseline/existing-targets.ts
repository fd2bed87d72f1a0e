import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CephClient } from "../ceph/client.ts";
import { writeClientConf } from "../ceph/conf.ts";
import { existingClusterFacts, requireWritable } from "../ceph/existing.ts";
import type { Platform } from "../host/platform.ts";
import { prefillImage } from "../image/prefill.ts";
import { RecordedImage } from "../image/recorded.ts";
import { formatSize } from "../ladder/size.ts";
import type { Report } from "../step.ts";
import type { BaselineOptions } from "./options.ts";
import type { BaselineTargets } from "./target.ts";
import { wires } from "./wires.ts";

/**
 * An existing cluster, with each requested wire: siphon creates one image in it, and removes it. Figures that the user
 * may not see (OSD CPU, negotiated modes) are omitted.
 */
export async function existingTargets(
  existing: NonNullable<BaselineOptions["existing"]>,
  { wire: names, size }: BaselineOptions,
  { platform, report, signal }: { platform: Platform; report: Report; signal: AbortSignal },
): Promise<BaselineTargets> {
  const { conf: base, user, pool, namespace } = existing;
  await using stack = new AsyncDisposableStack();
  const client = new CephClient({ conf: base, user, pool, namespace }, {}, platform);
  report(`looking at pool ${pool} as client.${user}`);
  await requireWritable(client, { signal });
  const { image } = stack.use(await RecordedImage.create(client, { purpose: "baseline", size, signal }));
  const onProgress = (done: number, total: number) =>
    report(`filling the image: ${formatSize(done)} of ${formatSize(total)}`);
  await prefillImage(client, { image, signal, onProgress });
  const facts = await existingClusterFacts(client, { signal });
  const dir = stack.adopt(await mkdtemp(join(tmpdir(), "siphon-confs-")), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const all = await Promise.all(
    names.map(async (wire) => {
      const options = wires[wire].clientOptions;
      const conf = await writeClientConf({ base, user, options, dir: join(dir, wire) });
      return {
        name: `existing-${wire}`,
        title: "existing cluster",
        osds: undefined,
        wire,
        client: client.with({ conf: conf.path }),
        image,
        conf,
        facts,
        // Daemons on other machines are not watched: their failures show in the runs.
        failed: new AbortController().signal,
        osdPids: () => [],
        openLog: async () => undefined,
      };
    }),
  );
  const keep = stack.move();
  return { all, [Symbol.asyncDispose]: () => keep.disposeAsync() };
}
