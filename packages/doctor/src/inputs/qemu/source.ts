import type { Source } from "../../model/disk.ts";
import type { Fact, Place } from "../../model/place.ts";
import { blockDeviceDriver } from "../device-path.ts";
import { monitorsOf } from "../monitors.ts";
import { isTree, listOf, type Tree, textOf } from "./key-values.ts";
import type { Node } from "./nodes.ts";
import { parseRbdName } from "./rbd-name.ts";

/** Where a chain's protocol node has its data. */
export function sourceOf(node: Node | undefined, place: Place, secrets: ReadonlyMap<string, Tree>): Source {
  if (node === undefined) return { driver: "other", place };
  if (node.driver === "rbd") return rbdSource(node, secrets);
  const path = textOf(node.tree, "filename");
  return { driver: blockDeviceDriver(path), place: node.place, ...(path !== undefined && { path }) };
}

function rbdSource({ tree, place }: Node, secrets: ReadonlyMap<string, Tree>): Source {
  const name = textOf(tree, "filename") ?? "";
  const parsed = parseRbdName(name);
  const options = new Map<string, Fact<string>>();
  for (const [key, value] of parsed?.options ?? []) options.set(key, { value, place });
  const legacy = listOf(tree, "=keyvalue-pairs") ?? [];
  for (let at = 0; at + 1 < legacy.length; at += 2)
    options.set(String(legacy[at]), { value: String(legacy[at + 1]), place });
  const take = (key: string) => {
    const value = options.get(key)?.value;
    options.delete(key);
    return value;
  };
  const id = take("id");
  const user = textOf(tree, "user") ?? id ?? "";
  const conf = textOf(tree, "conf") ?? take("conf");
  options.delete("conf");
  const hasKey = take("key") !== undefined;
  take("keyring");
  const monHost = options.get("mon_host")?.value;
  const servers = listOf(tree, "server");
  const monitors =
    servers !== undefined
      ? [
          ...new Set(
            servers.map((server) => (isTree(server) ? (textOf(server, "host") ?? "") : "")).filter(Boolean),
          ),
        ]
      : monHost === undefined
        ? undefined
        : monitorsOf(monHost);
  const secret = secrets.get(textOf(tree, "key-secret") ?? "");
  // A secret that is neither in a file nor encrypted with another secret can be read in the process list.
  const bare =
    secret !== undefined && textOf(secret, "data") !== undefined && textOf(secret, "keyid") === undefined;
  const namespace = textOf(tree, "namespace") ?? parsed?.namespace;
  const image = textOf(tree, "image") ?? parsed?.image;
  return {
    driver: "librbd",
    place,
    pool: textOf(tree, "pool") ?? parsed?.pool ?? "",
    ...(namespace !== undefined && { namespace }),
    ...(image !== undefined && { image }),
    user: { value: user, place },
    options,
    ...(conf !== undefined && { conf }),
    ...(monitors !== undefined && monitors.length > 0 && { monitors: { value: monitors, place } }),
    ...((hasKey || bare) && { key: place }),
    ...(isAuthNone(tree, options) && { authNone: place }),
  };
}

function isAuthNone(tree: Tree, options: ReadonlyMap<string, Fact<string>>): boolean {
  const modes = listOf(tree, "auth-client-required");
  if (modes !== undefined && modes.length > 0) return modes.every((mode) => mode === "none");
  const text = options.get("auth_supported")?.value ?? options.get("auth_client_required")?.value;
  return text !== undefined && isOnlyNone(text);
}

/** Whether a list of authentication methods, in ceph.conf's syntax, is `none` only. */
export function isOnlyNone(text: string): boolean {
  const methods = text.split(/[\s,;]+/).filter(Boolean);
  return methods.length > 0 && methods.every((method) => method === "none");
}
