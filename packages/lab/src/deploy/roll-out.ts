import { readFile, writeFile } from "node:fs/promises";
import { CephClient } from "../ceph/client.ts";
import { confText } from "../ceph/conf.ts";
import { keysOf } from "../ceph/key-type.ts";
import { keyringText } from "../ceph/keyring.ts";
import { initRbdPool } from "../ceph/pool.ts";
import { allowInsecureKeys, makeMaps, placeOsds } from "../cluster/bring-up.ts";
import { firstKeys, makeMonmap } from "../cluster/files.ts";
import { checkSocketPaths, clusterPaths, type DaemonId } from "../cluster/layout.ts";
import { awaitClean, awaitOsds } from "../cluster/ready.ts";
import type { ClusterSpec } from "../cluster/spec.ts";
import { LabError } from "../errors.ts";
import { Together } from "../host/together.ts";
import type { Resource } from "../state/resource.ts";
import type { RemoteHost } from "./host.ts";
import type { InventoryOsd } from "./inventory.ts";
import { claiming } from "./marker.ts";
import { clientConf, daemonsOn, hostConf, monAddresses, type Placement } from "./placement.ts";
import { formatting, furnishing, starting, watch } from "./start.ts";
import type { Survey } from "./survey.ts";
import type { Wipe } from "./wipe.ts";

/** A connected host and its daemons. */
export interface Site {
  host: RemoteHost;
  placement: Placement;
  found: Survey;
}

export interface RollOut {
  /** The deployment's on this machine: configuration and keys for clients go there. */
  resource: Resource;
  spec: ClusterSpec;
  fsid: string;
  sites: Site[];
  wipes: Wipe[];
  signal: AbortSignal;
  /** Called with a few words about each step. */
  onStep: (step: string) => void;
}

/**
 * Creates and starts a cluster on surveyed hosts. It is ready, as a local cluster, when all OSDs are up, all PGs
 * active+clean, and the pool for images writable. After a failure nothing continues, but files remain: the caller
 * removes them.
 */
export async function rollOut({
  resource,
  spec,
  fsid,
  sites,
  wipes,
  onStep,
  ...options
}: RollOut): Promise<void> {
  const together = new Together(AbortSignal.any([options.signal, ...sites.map(({ host }) => host.lost)]));
  const { signal } = together;
  const placements = sites.map(({ placement }) => placement);
  for (const placement of placements) checkSocketPaths(clusterPaths(placement.home), daemonsOn(placement));
  const everywhere = (what: string, lines: (placement: Placement) => string[], timeoutMs?: number) =>
    together.all(sites.map(({ host, placement }) => host.run(lines(placement), { what, signal, timeoutMs })));

  const watched = new AbortController();
  /** Starts the daemons of one kind on their hosts; from then on, a daemon that ends aborts everything. */
  const start = async (what: string, which: (placement: Placement) => DaemonId[]) => {
    const concerned = sites.filter(({ placement }) => which(placement).length > 0);
    const startOn = async ({ host, placement }: Site) => {
      const daemons = which(placement);
      await host.run(starting(placement, daemons), { what, signal });
      watch(host, placement, daemons, AbortSignal.any([signal, watched.signal])).catch((error) => {
        if (!watched.signal.aborted) together.fail(error);
      });
    };
    await together.all(concerned.map(startOn));
  };

  onStep("claiming directories and devices");
  const claim = { fsid, name: resource.name };
  await everywhere("be taken possession of", (placement) => claiming(placement, claim, wipes));

  onStep("keys and configuration");
  const kind = await keysOf(spec.keyType, resource.environment);
  const keys = firstKeys(placements.flatMap(daemonsOn), kind.type);
  const paths = clusterPaths(resource);
  const admin = keys.filter(({ name }) => name === "client.admin");
  await writeFile(paths.conf, confText(clientConf(placements, spec, fsid, resource)), { mode: 0o600 });
  await writeFile(paths.keyring("client.admin"), keyringText(admin.map(({ name, key }) => ({ name, key }))), {
    mode: 0o600,
  });
  await makeMonmap(resource, fsid, monAddresses(placements, spec), kind);
  const monmap = await readFile(paths.monmap);
  await everywhere("take its files", (placement) =>
    furnishing(placement, { conf: hostConf(placement, placements, spec, fsid), keys, monmap }),
  );

  onStep("making stores");
  await everywhere("make the stores of its daemons", formatting, 600_000);

  using _ = { [Symbol.dispose]: () => watched.abort() };
  onStep("starting monitors");
  await start("start its monitor", ({ mons }) => mons);
  const client = new CephClient({ conf: paths.conf, user: "admin" }, resource.environment);
  await using session = await client.session({ signal });

  onStep("making the pool and its user");
  const osds = sites.flatMap(({ placement, found }) =>
    placement.osds.map((osd) => ({ ...osd, placement, found })),
  );
  const uuids = osds.map(({ uuid }) => uuid);
  const making = async () => {
    if (kind.mustBeAllowed) await allowInsecureKeys(session);
    await makeMaps(resource, session, spec, fsid, uuids);
    const places = osds.map(({ daemon: { id }, store, placement, found }) => {
      return { id, host: placement.host.name, bytes: bytesOf(store, found) };
    });
    await placeOsds(session, places);
  };
  await together.all([making(), start("start its manager", ({ mgrs }) => mgrs)] as const);

  onStep("starting OSDs");
  await start("start its OSDs", (placement) => placement.osds.map(({ daemon }) => daemon));
  const waiting = { resource, session, spec, signal };
  try {
    await awaitOsds(waiting);
    onStep("waiting until all placement groups are active+clean");
    await together.all([awaitClean(waiting), initRbdPool(client, spec.pool, signal)]);
  } catch (error) {
    throw error instanceof LabError && error.code === "SIPHON_TIMEOUT" ? notReady(error, placements) : error;
  }
}

/** Location of the logs, which are not in local directories. */
function notReady(error: LabError, placements: Placement[]): LabError {
  const [{ host }] = placements;
  return new LabError("SIPHON_TIMEOUT", error.message, {
    cause: error,
    retryable: true,
    hint: `do all hosts reach each other at their addresses? Logs are in ${host.directory} on the hosts while it comes up`,
  });
}

function bytesOf(store: InventoryOsd, { devices }: Survey): number {
  return "size" in store ? store.size : devices.find(({ path }) => path === store.device)!.nodes[0].bytes;
}
