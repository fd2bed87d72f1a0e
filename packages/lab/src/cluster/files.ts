import { mkdir, writeFile } from "node:fs/promises";
import { confText } from "../ceph/conf.ts";
import { cephEnvironment } from "../ceph/environment.ts";
import { type Keys, type KeyType, monmapCiphers } from "../ceph/key-type.ts";
import { type KeyringEntry, keyringText, newCephxKey } from "../ceph/keyring.ts";
import { run } from "../host/command.ts";
import { platformOf } from "../roots/platform-of.ts";
import type { Resource } from "../state/resource.ts";
import { classDirectory } from "./class-directory.ts";
import { clusterPaths, type DaemonId, daemonsOf } from "./layout.ts";
import { addressVector, type ClusterPlace, clusterConf, type MonAddress } from "./settings.ts";
import type { ClusterSpec } from "./spec.ts";

/**
 * Writes the files that must exist before any daemon: directories, ceph.conf, the monitor map, and keyrings: one of
 * each daemon and of client.admin, and one with all of them and their caps for the monitors to import.
 */
export async function writeClusterFiles(
  resource: Resource,
  spec: ClusterSpec,
  place: Omit<ClusterPlace, "home">,
  keys: Keys,
): Promise<void> {
  const paths = clusterPaths(resource);
  const daemons = daemonsOf(spec);
  for (const dir of [...daemons.map(paths.data), resource.path("crash"), resource.path("modules")])
    await mkdir(dir, { mode: 0o700 });

  const entries = firstKeys(daemons, keys.type);
  const secret = { mode: 0o600 };
  const conf = clusterConf(spec, {
    classDirectory: classDirectory(platformOf(resource)),
    ...place,
    home: resource,
  });
  // They are placed before they start.
  conf.osd.osd_crush_update_on_start = "false";
  await writeFile(paths.conf, confText(conf), secret);
  await writeFile(paths.monKeyring, keyringText(entries), secret);
  for (const { name, key } of entries.slice(1)) {
    await writeFile(paths.keyring(name), keyringText([{ name, key }]), secret);
  }
  await makeMonmap(resource, place.fsid, place.mons, keys);
}

/** New keys for the initial daemons and users: the monitors' common one, client.admin, manager and OSDs. */
export function firstKeys(daemons: DaemonId[], type: KeyType): KeyringEntry[] {
  return [
    { name: "mon.", key: newCephxKey(type), caps: { mon: "allow *" } },
    {
      name: "client.admin",
      key: newCephxKey(type),
      caps: { mon: "allow *", osd: "allow *", mgr: "allow *", mds: "allow *" },
    },
    ...daemons
      .filter(({ kind }) => kind !== "mon")
      .map(({ kind, name }) => ({ name, key: newCephxKey(type), caps: daemonCaps(kind) })),
  ];
}

/** Makes the monitor map that monitors start from, in the resource's directory. */
export async function makeMonmap(
  resource: Resource,
  fsid: string,
  addresses: MonAddress[],
  keys: Keys,
): Promise<void> {
  const vectors = addresses.flatMap((address) => ["--addv", address.id, addressVector(address)]);
  const args = [
    "--create",
    "--fsid",
    fsid,
    ...vectors,
    ...monmapCiphers(keys),
    clusterPaths(resource).monmap,
  ];
  await run("monmaptool", args, {
    from: platformOf(resource),
    env: { ...cephEnvironment, ...resource.environment },
  });
}

function daemonCaps(kind: DaemonId["kind"]): Record<string, string> {
  return kind === "osd"
    ? { mon: "allow profile osd", mgr: "allow profile osd", osd: "allow *" }
    : { mon: "allow profile mgr", osd: "allow *", mds: "allow *" };
}
