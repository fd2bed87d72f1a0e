import { readFile } from "node:fs/promises";
import { parseConf, readConf } from "../../ceph/conf.ts";
import { keyTypes } from "../../ceph/key-type.ts";
import { LabError } from "../../errors.ts";
import { shellQuote } from "../../vm/escape.ts";
import type { BaselineTarget } from "../target.ts";
import { wires } from "../wires.ts";

/** Everything a kernel needs to map an image. Holds a key: not to be shown. */
export interface Mapping {
  /** `192.0.2.1:12345`, each of a monitor. */
  monitors: string[];
  user: string;
  /** Undefined if the cluster needs none. */
  key?: string;
  /** As the option ms_mode takes it. */
  mode: string;
  pool: string;
  image: string;
}

/** The device of the only image that is mapped. */
export const rbdDevice = "/dev/rbd0";

/** The mapping of an image of a local cluster, whose keyrings this process may read. */
export async function mappingOf({ client, image, wire }: BaselineTarget): Promise<Mapping> {
  const { conf, user } = client.target;
  const { global = {} } = await readConf(conf);
  const monitors = [...global.mon_host.matchAll(/v[12]:([\d.]+:\d+)/g)].map(([, address]) => address);
  const name = `client.${user}`;
  const withKey = global.auth_client_required === "cephx";
  const keyring = withKey ? await readFile(global.keyring.replace("$name", name), "utf8") : "";
  const key = parseConf(keyring)[name]?.key;
  if (withKey && key === undefined) throw new LabError("SIPHON_CLUSTER", `there is no key of ${name}`);
  return { monitors, user, key, mode: wires[wire].kernelMode, pool: client.pool, image };
}

/**
 * Shell lines that map the image as /dev/rbd0. A shell builtin writes the key to the kernel, so it is never in a
 * process's arguments. It comes last, because messages about a command show its beginning. Source:
 * Documentation/ABI/testing/sysfs-bus-rbd in Linux; options: parse_options in net/ceph/ceph_common.c.
 */
export function mapScript({ monitors, user, key, mode, pool, image }: Mapping): string {
  const secret = key === undefined ? "" : `,secret=${key}`;
  const options = `name=${user},ms_mode=${mode}${secret}`;
  return [
    "set -e",
    "modprobe rbd",
    // The other file of each pair is for kernels older than 3.14, or told single_major=N.
    "add=/sys/bus/rbd/add_single_major",
    "[ -w $add ] || add=/sys/bus/rbd/add",
    `echo ${shellQuote(`${monitors.join(",")} ${options} ${pool} ${image} -`)} >$add ||`,
    "  { dmesg | grep -e libceph -e rbd | grep -v secret | tail -n 3 >&2; exit 1; }",
    // A scheduler would cost more than it gains.
    `echo none >/sys/block/rbd0/queue/scheduler`,
  ].join("\n");
}

/** What to do about a kernel that refuses a mapping. A key begins with its type, 16 bits in little endian. */
export function mapHint({ key }: Mapping, why: string): string | undefined {
  const isAes256k =
    key !== undefined && Buffer.from(key, "base64").readUInt16LE() === keyTypes.aes256k.number;
  if (!isAes256k || !why.includes("Invalid argument")) return undefined;
  return "kernels before Linux 7.0 know no keys of type aes256k: measure with --key-type aes, or with --engines librbd";
}

/** Shell lines that unmap it. */
export const unmapScript =
  "remove=/sys/bus/rbd/remove_single_major; [ -w $remove ] || remove=/sys/bus/rbd/remove; echo 0 >$remove";

/** The command for a reader to do the same; rbd(8) finds monitors and key itself. */
export function mapCommand({ client, image, conf, wire }: BaselineTarget): string {
  const who = `--conf ${shellQuote(conf.path)} --id ${client.target.user}`;
  return `rbd ${who} device map -o ms_mode=${wires[wire].kernelMode} ${shellQuote(client.spec(image))}`;
}
