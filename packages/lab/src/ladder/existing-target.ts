import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CephClient } from "../ceph/client.ts";
import { writeClientConf } from "../ceph/conf.ts";
import { existingClusterFacts, requireOwnImage, requireWritable } from "../ceph/existing.ts";
import { LabError } from "../errors.ts";
import { imageInfo } from "../image/image.ts";
import { RecordedImage } from "../image/recorded.ts";
import type { Report } from "../step.ts";
import { imageSize, type Laying, layImage } from "./lay-image.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderPlatforms } from "./platforms.ts";
import { formatSize } from "./size.ts";
import type { Target } from "./target.ts";

type Existing = NonNullable<LadderOptions["existing"]>;

/**
 * An existing cluster: writes only to an image that siphon creates, or one that the caller allows to overwrite
 * (`yesOverwrite`). Omits figures that the user may not see (OSD CPU, settings).
 */
export async function existingTarget(
  existing: Existing,
  laying: Laying,
  { ceph }: LadderPlatforms,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<Target> {
  const { conf, user, pool, namespace } = existing;
  await using stack = new AsyncDisposableStack();
  const client = new CephClient({ conf, user, pool, namespace }, {}, ceph);
  if (existing.image !== undefined) requireOwnImage(client, existing.image, existing.yesOverwrite);
  report(`looking at pool ${pool} as client.${user}`);
  await requireWritable(client, { signal });
  const image = await imageFor(client, existing.image, await imageSize(laying), stack, signal);
  await layImage(client, image, laying, { report, signal });
  const confs = stack.adopt(await mkdtemp(join(tmpdir(), "siphon-confs-")), (dir) =>
    rm(dir, { recursive: true, force: true }),
  );
  const clientConf: Target["clientConf"] = (name, clientOptions) =>
    writeClientConf({ base: conf, user, options: clientOptions, dir: join(confs, name) });
  report("finding out whether the cluster offers secure mode");
  const secure = await clientConf("probe", { ms_client_mode: "secure", ms_mon_client_mode: "secure" });
  const noSecure = await whyNotSecure(client.with({ conf: secure.path }), signal);
  const facts = await existingClusterFacts(client, { signal });
  const keep = stack.move();
  return {
    client,
    diskFor: () => ({ pool, namespace, image, user }),
    copies: undefined,
    noSecure,
    // Daemons on other machines are not watched: their failures show in the runs.
    failed: new AbortController().signal,
    facts,
    osdPids: () => [],
    observeWireModes: async (work) => ({ result: await work(), modes: undefined }),
    clientConf,
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}

async function imageFor(
  client: CephClient,
  named: string | undefined,
  size: number,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  if (named === undefined) {
    return stack.use(await RecordedImage.create(client, { purpose: "ladder", size, signal })).image;
  }
  const info = await imageInfo(client, { image: named, signal });
  if (info.size >= size) return named;
  throw new LabError(
    "SIPHON_USAGE",
    `${client.spec(named)} has ${formatSize(info.size)}, and ${formatSize(size)} are needed`,
    {
      hint: "give a smaller --size, or a bigger image",
    },
  );
}

/** Why a client that requires secure mode gets no answer; undefined if it gets one. */
async function whyNotSecure(secure: CephClient, signal: AbortSignal): Promise<string | undefined> {
  try {
    await secure.rbd(
      ["ls", secure.target.namespace ? `${secure.pool}/${secure.target.namespace}` : secure.pool],
      {
        signal,
        timeoutMs: 30_000,
      },
    );
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `this cluster does not take a client in secure mode: ${(error as Error).message}`;
  }
}
