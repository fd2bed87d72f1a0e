import { LocalCluster } from "../cluster/local-cluster.ts";
import { ConnectionLog } from "../cluster/wire-modes.ts";
import type { Platform } from "../host/platform.ts";
import { createImage } from "../image/image.ts";
import { prefillImage } from "../image/prefill.ts";
import { formatSize } from "../ladder/size.ts";
import type { Report } from "../step.ts";
import { type BaselineOptions, replicasOf } from "./options.ts";
import type { BaselineTarget, BaselineTargets } from "./target.ts";
import { type WireName, wires } from "./wires.ts";

const IMAGE = "siphon-baseline";
const GIB = 2 ** 30;

interface Circumstances {
  /** Address of the daemons; default 127.0.0.1. Guests need another one. */
  address: string | undefined;
  /** Where their programs come from. */
  platform: Platform;
  report: Report;
  signal: AbortSignal;
}

/** A cluster for each size and wire, each with a filled image. All of them end with the measurement. */
export async function localTargets(
  options: BaselineOptions,
  circumstances: Circumstances,
): Promise<BaselineTargets> {
  await using stack = new AsyncDisposableStack();
  const all: BaselineTarget[] = [];
  for (const osds of options.osds) {
    for (const wire of options.wire) {
      all.push(await localTarget(osds, wire, options, circumstances, stack));
    }
  }
  const keep = stack.move();
  return { all, [Symbol.asyncDispose]: () => keep.disposeAsync() };
}

async function localTarget(
  osds: number,
  wire: WireName,
  { replicas, store, keyType, size }: BaselineOptions,
  { address, platform, report, signal }: Circumstances,
  stack: AsyncDisposableStack,
): Promise<BaselineTarget> {
  const title = osdsInWords(osds);
  const name = `${osds}-osd-${wire}`;
  const say = (what: string) => report(`${title}, ${wires[wire].title}: ${what}`);
  const spec = {
    ...wires[wire].cluster,
    name: `${name}-${process.pid}`,
    osds,
    replicas: replicasOf(osds, replicas),
    store,
    keyType,
    // Each OSD may hold the whole image, and later clusters need memory, too.
    ...(store === "memstore" && { osdSize: Math.max(GIB, 2 * size) }),
  };
  const cluster = stack.use(await LocalCluster.up(spec, { from: platform, address, signal, onStep: say }));
  const watch = stack.use(cluster.watch());
  const stop = AbortSignal.any([signal, watch.signal]);
  say("creating and filling the image");
  await createImage(cluster.client, { image: IMAGE, size, signal: stop });
  await prefillImage(cluster.client, {
    image: IMAGE,
    signal: stop,
    onProgress: (done, total) => say(`filling the image: ${formatSize(done)} of ${formatSize(total)}`),
  });
  const conf = await cluster.clientConf("baseline", wires[wire].clientOptions);
  return {
    name,
    title,
    osds,
    wire,
    client: cluster.client.with({ conf: conf.path }),
    image: IMAGE,
    conf,
    facts: await cluster.facts(),
    failed: watch.signal,
    osdPids: () => cluster.osdPids,
    openLog: async () => (wires[wire].mode === undefined ? undefined : ConnectionLog.open(cluster)),
  };
}

/** `1 OSD`, `3 OSDs`. */
export function osdsInWords(osds: number): string {
  return osds === 1 ? "1 OSD" : `${osds} OSDs`;
}
