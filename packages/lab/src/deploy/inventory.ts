import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { type ClusterSpec, clusterFields, parseClusterSpec } from "../cluster/spec.ts";
import { LabError } from "../errors.ts";
import { problemsOf, readYaml } from "../input.ts";
import { sizeField } from "../ladder/size.ts";

const GIB = 2 ** 30;

/** Names end up in file names, in Ceph's CRUSH map and in messages. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,30}$/, "letters, digits, dots and dashes, at most 31");

/** Paths end up in shell scripts and in ceph.conf, which knows no quotes. */
const path = z
  .string()
  .regex(/^(\/[A-Za-z0-9._+@:-]+)+$/, "an absolute path of letters, digits and ._+@:-")
  .refine((text) => !text.split("/").includes(".."), "a path without ..");

const directory = path.refine((text) => text.split("/").length > 2, "a directory below one of the root's");

const port = z.int().min(1).max(65_535);

const ssh = {
  user: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "no user's name"),
  port,
  /** A private key; default: ssh's own defaults and the agent. */
  identity: z.string(),
  /** Files of known host keys. */
  knownHosts: z.string(),
  /** Become root by `sudo -n`. */
  sudo: z.boolean(),
};

const hostKey = z
  .string()
  .regex(/^[\w@.-]+ +[A-Za-z0-9+/]+=*( .*)?$/, "a key type and a key, as in known_hosts");

const osd = z
  .strictObject({
    /** A block device, which is used whole. */
    device: path.optional(),
    /** A file to create, of `size`; default: a file in the host's directory. */
    file: path.optional(),
    size: sizeField.optional(),
  })
  .superRefine(({ device, file, size }, context) => {
    if (device && file) context.addIssue("an OSD has a device or a file, and not both");
    if (device && size) context.addIssue("a device is used whole: give no size");
  });

const host = z.strictObject({
  name,
  /** Address of its daemons for other hosts and clients. */
  address: z.ipv4(),
  /** Address for replication, if that is another network. */
  clusterAddress: z.ipv4().optional(),
  /** Destination of ssh, if it differs from the address. */
  ssh: z
    .strictObject({
      host: z
        .string()
        .regex(/^[A-Za-z0-9:][A-Za-z0-9.:-]*$/, "no host's name or address")
        .optional(),
      ...ssh,
    })
    .partial()
    .prefault({}),
  /** Its ssh server's public keys, as in known_hosts: `ssh-ed25519 AAAA...`. */
  hostKey: z.union([hostKey, z.array(hostKey).min(1)]).optional(),
  directory: directory.optional(),
  mon: z
    .union([z.boolean(), z.strictObject({ v2: port.default(3300), v1: port.default(6789) })])
    .default(false),
  mgr: z.boolean().default(false),
  osds: z.array(osd).default([]),
});

const inventoryFields = z.strictObject({
  name: name.default("lab"),
  /** Directory of everything on each host; default `/var/lib/siphon/NAME`. */
  directory: directory.optional(),
  ssh: z.strictObject(ssh).partial().prefault({}),
  hosts: z.array(host).min(1),
  cluster: clusterFields
    .omit({ name: true, mons: true, osds: true, store: true })
    .extend({
      /** Real networks require cephx. */
      auth: clusterFields.shape.auth.default("cephx"),
      osdMemoryTarget: sizeField.pipe(clusterFields.shape.osdMemoryTarget.unwrap()).default(4 * GIB),
      osdSize: sizeField.pipe(z.int().min(GIB)).default(10 * GIB),
    })
    .prefault({}),
});

export type InventoryInput = z.input<typeof inventoryFields>;

/** An OSD and the location of its data. */
export type InventoryOsd = { device: string } | { file: string; size: number } | { size: number };

export interface InventoryHost {
  name: string;
  address: string;
  clusterAddress: string;
  ssh: {
    host: string;
    port: number;
    user?: string;
    identity?: string;
    knownHosts?: string;
    sudo: boolean;
  };
  /** Allowed keys of its ssh server; if empty, those in `knownHosts`. */
  hostKeys: string[];
  directory: string;
  /** The ports of its monitor, if it has one. */
  mon?: { v2: number; v1: number };
  mgr: boolean;
  osds: InventoryOsd[];
}

/** The cluster's specification and the placement of its daemons, without secrets. */
export interface Inventory {
  name: string;
  hosts: InventoryHost[];
  spec: ClusterSpec;
}

/** Reads an inventory; throws SIPHON_NOT_FOUND or SIPHON_USAGE. Paths of ssh files are relative to it. */
export async function readInventory(file: string): Promise<Inventory> {
  const input = await readYaml(file, "inventory");
  return parseInventory(input, { what: `the inventory ${file}`, base: dirname(resolve(file)) });
}

/** Checks and completes an inventory; throws SIPHON_USAGE with all problems in one sentence. */
export function parseInventory(
  input: unknown,
  { what = "the inventory", base = process.cwd() }: { what?: string; base?: string } = {},
): Inventory {
  const parsed = inventoryFields.safeParse(input);
  if (!parsed.success) throw nonsense(what, problemsOf(parsed.error));
  const { name, cluster, ...fields } = parsed.data;
  const hosts = fields.hosts.map((each): InventoryHost => {
    const { host, port = 22, user, identity, knownHosts, sudo = false } = { ...fields.ssh, ...each.ssh };
    return {
      name: each.name,
      address: each.address,
      clusterAddress: each.clusterAddress ?? each.address,
      ssh: {
        host: host ?? each.address,
        port,
        user,
        identity: local(identity, base),
        knownHosts: local(knownHosts, base),
        sudo,
      },
      hostKeys: [each.hostKey ?? []].flat(),
      directory: each.directory ?? fields.directory ?? `/var/lib/siphon/${name}`,
      mon: each.mon === true ? { v2: 3300, v1: 6789 } : each.mon || undefined,
      mgr: each.mgr,
      osds: each.osds.map(({ device, file, size = cluster.osdSize }) =>
        device ? { device } : file ? { file, size } : { size },
      ),
    };
  });
  withManager(hosts, what);
  check(hosts, what);
  const mons = hosts.filter(({ mon }) => mon).length;
  const osds = hosts.flatMap((each) => each.osds).length;
  return {
    name,
    hosts,
    spec: { ...parseClusterSpec({ ...cluster, name, mons, osds }), osdSize: cluster.osdSize },
  };
}

/** The manager is on the first host with a monitor, unless the inventory says where. */
function withManager(hosts: InventoryHost[], what: string): void {
  const chosen = hosts.filter(({ mgr }) => mgr);
  if (chosen.length > 1) throw nonsense(what, "there can be one manager (mgr: true) only");
  const first = hosts.find(({ mon }) => mon);
  if (chosen.length === 0 && first) first.mgr = true;
}

function check(hosts: InventoryHost[], what: string): void {
  const problems = [
    ...twice(hosts.map((host) => host.name)).map((host) => `the host ${host} is there twice`),
    ...twice(
      hosts.flatMap(({ mon, address }) => (mon ? [mon.v1, mon.v2].map((p) => `${address}:${p}`) : [])),
    ).map((address) => `two monitors want to listen at ${address}`),
    ...hosts.flatMap((host) =>
      twice(host.osds.map((each) => pathOf(each) ?? "").filter(Boolean)).map(
        (path) => `${host.name} has ${path} twice`,
      ),
    ),
    ...hosts
      .filter(({ mon, mgr, osds }) => !mon && !mgr && osds.length === 0)
      .map((host) => `${host.name} has nothing to run`),
    ...(hosts.some(({ mon }) => mon) ? [] : ["no host has a monitor (mon: true)"]),
    ...(hosts.some(({ osds }) => osds.length > 0) ? [] : ["no host has an OSD (osds: ...)"]),
  ];
  if (problems.length > 0) throw nonsense(what, problems.join("; "));
}

/** The path that the inventory gives to an OSD, if any. */
export function pathOf(osd: InventoryOsd): string | undefined {
  return "device" in osd ? osd.device : "file" in osd ? osd.file : undefined;
}

function twice(texts: string[]): string[] {
  return [...new Set(texts.filter((text, n) => texts.indexOf(text) !== n))];
}

function local(file: string | undefined, base: string): string | undefined {
  return file && (file.startsWith("~/") ? join(homedir(), file.slice(2)) : resolve(base, file));
}

function nonsense(what: string, why: string): LabError {
  return new LabError("SIPHON_USAGE", `${what} makes no sense: ${why}`, {
    hint: "docs/deploy.md describes inventories, with a sample",
  });
}
