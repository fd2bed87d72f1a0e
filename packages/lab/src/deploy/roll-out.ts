import { readFile, writeFile } from "node:fs/promises";
import { CephClient } from "../ceph/client.ts";
import { confText } from "../ceph/conf.ts";
import { keyringText } from "../ceph/keyring.ts";
import { initRbdPool } from "../ceph/pool.ts";
import { makeMaps } from "../cluster/bring-up.ts";
import { firstKeys, makeMonmap } from "../cluster/files.ts";
import { checkSocketPaths, clusterPaths } from "../cluster/layout.ts";
import { awaitClean, awaitOsds } from "../cluster/ready.ts";
import type { ClusterSpec } from "../cluster/spec.ts";
import { LabError } from "../errors.ts";
import { Together } from "../host/together.ts";
import type { Resource } from "../state/resource.ts";
import type { RemoteHost } from "./host.ts";
import { claiming } from "./marker.ts";
import { clientConf, daemonsOn, hostConf, monAddresses, type Placement } from "./placement.ts";
import { formatting, furnishing, starting, watch } from "./start.ts";
import type { Wipe } from "./wipe.ts";

/** A host, connected, and what it is to run. */
export interface Site {
  host: RemoteHost;
  placement: Placement;
}

export interface RollOut {
  /** The deployment's on this machine: configuration and keys for clients go there. */
  resource: Resource;
  spec: ClusterSpec;
  fsid: string;
  sites: Site[];
  wipes: Wipe[];
  signal: AbortSignal;
  /** Told what is being done, in a few words. */
  onStep: (step: string) => void;
}

/**
 * Makes a cluster on hosts that have been looked at, and starts it. Ready means, as for a cluster on this
 * machine: all OSDs up, all PGs active+clean, and the pool for images written to. After a failure nothing begun
 * here goes on from this side, but what has been made is there: the caller removes it.
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

  onStep("claiming directories and devices");
  const claim = { fsid, name: resource.name };
  await everywhere("be taken possession of", (placement) => claiming(placement, claim, wipes));

  onStep("keys and configuration");
  const keys = firstKeys(placements.flatMap(daemonsOn));
  const paths = clusterPaths(resource);
  const admin = keys.filter(({ name }) => name === "client.admin");
  await writeFile(paths.conf, confText(clientConf(placements, spec, fsid, resource)), { mode: 0o600 });
  await writeFile(paths.keyring("client.admin"), keyringText(admin.map(({ name, key }) => ({ name, key }))), {
    mode: 0o600,
  });
  await makeMonmap(resource, fsid, monAddresses(placements, spec));
  const monmap = await readFile(paths.monmap);
  await everywhere("take its files", (placement) =>
    furnishing(placement, { conf: hostConf(placement, placements, spec, fsid), keys, monmap }),
  );

  onStep("making stores");
  await everywhere("make the stores of its daemons", formatting, 600_000);

  onStep("starting monitors");
  await everywhere("start its monitor", (placement) => starting(placement, placement.mons));
  const client = new CephClient({ conf: paths.conf, user: "admin" }, resource.environment);
  await using session = await client.session({ signal });

  onStep("making the pool and its user");
  const uuids = placements.flatMap(({ osds }) => osds.map(({ uuid }) => uuid));
  await together.all([
    makeMaps(resource, session, spec, fsid, uuids),
    everywhere("start its manager", (placement) => starting(placement, placement.mgrs)),
  ] as const);

  onStep("starting OSDs");
  await everywhere("start its OSDs", (placement) =>
    starting(
      placement,
      placement.osds.map(({ daemon }) => daemon),
    ),
  );

  const waiting = { resource, session, spec, signal };
  const ready = async () => {
    await awaitOsds(waiting);
    onStep("waiting until all placement groups are active+clean");
    await together.all([awaitClean(waiting), initRbdPool(client, spec.pool, signal)]);
  };
  const watched = new AbortController();
  const watches = sites.map(({ host, placement }) =>
    watch(host, placement, daemonsOn(placement), AbortSignal.any([signal, watched.signal])),
  );
  try {
    await Promise.race([ready(), ...watches]);
  } catch (error) {
    throw error instanceof LabError && error.code === "SIPHON_TIMEOUT" ? notReady(error, placements) : error;
  } finally {
    watched.abort();
    await Promise.allSettled(watches);
  }
}

/** Where to look: the directories here hold no logs. */
function notReady(error: LabError, placements: Placement[]): LabError {
  const [{ host }] = placements;
  return new LabError("SIPHON_TIMEOUT", error.message, {
    cause: error,
    retryable: true,
    hint: `do all hosts reach each other at their addresses? Logs are in ${host.directory} on the hosts while it comes up`,
  });
}
