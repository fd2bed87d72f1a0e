import { tmpdir } from "node:os";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CephClient } from "../ceph/client.ts";
import { writeClientConf } from "../ceph/conf.ts";
import { LabError } from "../errors.ts";
import { imageInfo } from "../image/image.ts";
import { prefillImage } from "../image/prefill.ts";
import { RecordedImage } from "../image/recorded.ts";
import type { Report } from "../step.ts";
import type { LadderOptions } from "./options.ts";
import { formatSize } from "./size.ts";
import type { Fact, Target } from "./target.ts";

type Existing = NonNullable<LadderOptions["existing"]>;

/**
 * A cluster that is there already: only an image that siphon makes, or one that the caller gave up with
 * `yesOverwrite`, is written to. What its user may not see (OSD CPU, settings) is left out.
 */
export async function existingTarget(
  options: LadderOptions,
  existing: Existing,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<Target> {
  const { conf, user, pool, namespace } = existing;
  await using stack = new AsyncDisposableStack();
  const client = new CephClient({ conf, user, pool, namespace });
  report(`looking at pool ${pool} as client.${user}`);
  const image = await imageFor(client, existing, options.size, stack, signal);
  await prefillImage(client, {
    image,
    size: options.size,
    signal,
    onProgress: (done, total) => report(`filling ${image}: ${formatSize(done)} of ${formatSize(total)}`),
  });
  const confs = stack.adopt(await mkdtemp(join(tmpdir(), "siphon-confs-")), (dir) =>
    rm(dir, { recursive: true, force: true }),
  );
  const clientConf: Target["clientConf"] = (name, clientOptions) =>
    writeClientConf({ base: conf, user, options: clientOptions, dir: join(confs, name) });
  report("finding out whether the cluster offers secure mode");
  const secure = await clientConf("probe", { ms_client_mode: "secure", ms_mon_client_mode: "secure" });
  const noSecure = await whyNotSecure(client.with({ conf: secure.path }), signal);
  const facts = await clusterFacts(client, existing, signal);
  const keep = stack.move();
  return {
    disk: { pool, namespace, image, user },
    noSecure,
    // Daemons on other machines are not ours to watch: what fails there shows in the runs.
    failed: new AbortController().signal,
    facts,
    osdPids: () => [],
    clientConf,
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}

async function imageFor(
  client: CephClient,
  { image, yesOverwrite }: Existing,
  size: number,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  if (image === undefined) {
    return stack.use(await RecordedImage.create(client, { purpose: "ladder", size, signal })).image;
  }
  if (!yesOverwrite) {
    throw new LabError("SIPHON_REFUSED", `the ladder would overwrite ${client.spec(image)}`, {
      hint: "if its data may be lost, say --yes-overwrite; without --image siphon makes an image of its own",
    });
  }
  const info = await imageInfo(client, { image, signal });
  if (info.size < size) {
    throw new LabError("SIPHON_USAGE", `${client.spec(image)} has ${formatSize(info.size)}, less than the load covers`, {
      hint: `give a smaller --size than ${formatSize(size)}, or a bigger image`,
    });
  }
  return image;
}

/** The reason why a client that demands secure mode gets no answer; undefined when it gets one. */
async function whyNotSecure(secure: CephClient, signal: AbortSignal): Promise<string | undefined> {
  try {
    await secure.rbd(["ls", secure.target.namespace ? `${secure.pool}/${secure.target.namespace}` : secure.pool], {
      signal,
      timeoutMs: 30_000,
    });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `this cluster does not take a client in secure mode: ${(error as Error).message}`;
  }
}

/** What a client without admin caps may know of its cluster. */
async function clusterFacts(client: CephClient, { conf, user }: Existing, signal: AbortSignal): Promise<Fact[]> {
  const facts: Fact[] = [
    { name: "cluster", value: `existing, by ${conf}` },
    { name: "user", value: `client.${user}` },
    { name: "pool", value: client.target.namespace ? `${client.pool}/${client.target.namespace}` : client.pool },
  ];
  try {
    const { quorum_names, fsid, osdmap } = (await client.command(["status"], { signal, timeoutMs: 30_000 })) as {
      fsid: string;
      quorum_names: string[];
      osdmap: { num_osds: number };
    };
    facts.push(
      { name: "fsid", value: fsid },
      { name: "monitors", value: String(quorum_names.length) },
      { name: "OSDs", value: String(osdmap.num_osds) },
    );
  } catch {
    signal.throwIfAborted();
    facts.push({ name: "monitors and OSDs", value: `not shown to client.${user}` });
  }
  facts.push({ name: "OSD CPU", value: "not measured: the OSDs are not ours to look at" });
  return facts;
}
