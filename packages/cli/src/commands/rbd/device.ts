import { resolve } from "node:path";
import {
  AttachError,
  cookieOf,
  type DeviceMapping,
  detachDevice,
  deviceNumber,
  formatImageSpec,
  listMappings,
  startDevice,
  unmapDevice,
} from "@siphon/attach";
import { adviceOf, SiphonError } from "@siphon/wire";
import { Command } from "commander";
import { type ConnectFlags, clusterOptions } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { collect } from "../attach/flags.ts";
import { usualRunDirectory } from "../attach/places.ts";
import { type DeviceFlags, deviceFlags, withDeviceFlags, withDriverFlags } from "./device-flags.ts";
import { encryptionLayers } from "./encryption-flags.ts";
import { type ImageSpec, imageSpec, type SpecFlags, snapshotOf, usage, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";

type Flags = ConnectFlags & SpecFlags & DeviceFlags;

/** `device` with its subcommands, and their short forms. */
export function deviceCommands(): Command[] {
  const device = new Command("device").summary("block devices of this host, over the kernel's NBD driver");
  for (const each of [list("list").alias("ls"), map("map"), unmap("unmap"), attach(), detach()]) {
    device.addCommand(each);
  }
  return [device, nbd(), map("map"), unmap("unmap"), list("showmapped")];
}

/** `nbd`, the older name of `device`, which programs still use. It takes rbd-nbd's options without `-o`. */
function nbd(): Command {
  const command = new Command("nbd").summary("device, in its older words");
  for (const each of [list("list").alias("ls"), withDriverFlags(map("map")), unmap("unmap")]) {
    command.addCommand(each);
  }
  return command;
}

function map(name: string): Command {
  const command = new Command(name)
    .summary("make an image a block device of this host, and print its path")
    .description(
      "Make an image a block device of this host, /dev/nbdN, and print its path. A process stays that serves it, until the device is unmapped.",
    )
    .argument("[image-or-snap-spec]")
    .option("--device <device>", "this device, /dev/nbdN (default: any that is free)")
    .action((text: string | undefined, given: Flags) => start(text, given, false));
  return withConnectFlags(withSpecFlags(withDeviceFlags(command)));
}

function attach(): Command {
  const command = new Command("attach")
    .summary("serve a device again whose process has ended")
    .argument("[image-or-snap-spec]")
    .option("--device <device>", "the device that waits, /dev/nbdN")
    .option("--force", "without its cookie, where the kernel has none")
    .action((text: string | undefined, given: Flags) => start(text, given, true));
  return withConnectFlags(withSpecFlags(withDeviceFlags(command)));
}

function unmap(name: string): Command {
  return ending(name, "take a block device away", (device, mapping, { force }) =>
    unmapDevice(device, mapping, { force: force === true }),
  );
}

function detach(): Command {
  const summary = "end the process that serves a device, and leave the device to another one";
  return ending("detach", summary, async (device, mapping) => {
    if (mapping === undefined) throw wrong(`no process attached to ${device} found`);
    await detachDevice(mapping);
  });
}

function list(name: string): Command {
  const command = new Command(name)
    .summary("list the images that are block devices of this host")
    .option("-t, --device-type <type>", "nbd")
    .action(async (given: FormatFlags & DeviceFlags) => {
      deviceFlags(given);
      const mappings = await listMappings(directory);
      const devices = await Promise.all(
        mappings.map(async ({ pid, pool, namespace, image, snapshot: snap, device }) => ({
          ...{ id: pid, pool, namespace, image, snap, device },
          cookie: (await cookieOf(deviceNumber(device))) ?? "",
        })),
      );
      const plain = () =>
        devices.length === 0
          ? ""
          : table(
              ["id", "pool", "namespace", "image", "snap", "device", "cookie"].map(
                (head) => [head, "left"] as const,
              ),
              devices.map(({ id, snap, ...rest }) => [
                ...[String(id), rest.pool, rest.namespace, rest.image, snap || "-", rest.device, rest.cookie],
              ]),
            );
      print(given, plain, () => devices, { root: "devices", items: { devices: "device" } });
    });
  return withConnectFlags(withFormatFlags(command));
}

/** A command that ends a device or its process. The device's path or the image names it. */
function ending(
  name: string,
  summary: string,
  end: (device: string, mapping: DeviceMapping | undefined, flags: DeviceFlags) => Promise<void>,
): Command {
  const command = new Command(name)
    .summary(summary)
    .argument("[image-or-snap-or-device-spec]")
    .option("-t, --device-type <type>", "nbd")
    .option("--device <device>", "of an image that is mapped more than once: this device")
    .option("--snap-id <id>", "snapshot by its id instead of its name")
    .option("-o, --options <options>", "by commas: the options above by their names, force", collect)
    .action((text: string | undefined, given: Flags) =>
      withRbdsCode(async () => {
        const flags = deviceFlags(given);
        const isDevice = text?.startsWith("/dev/") ?? false;
        const named = isDevice ? undefined : text;
        const device = isDevice ? text : flags.device;
        if (device !== undefined) deviceNumber(device);
        const spec = named === undefined && flags.image === undefined ? undefined : imageSpec(named, flags);
        const mapping = (await listMappings(directory)).find(
          (each) =>
            (device === undefined || each.device === device) &&
            (spec === undefined || isOf(each, spec, flags)),
        );
        if (spec !== undefined) {
          if (mapping === undefined) throw wrong(`${formatImageSpec(spec)} is not mapped`);
          await end(mapping.device, mapping, flags);
        } else {
          if (device === undefined) throw usage(`${name} requires either image name or device path`);
          await end(device, mapping, flags);
        }
      }),
    );
  return withConnectFlags(withSpecFlags(command));
}

async function start(text: string | undefined, given: Flags, isAttached: boolean): Promise<void> {
  const flags = deviceFlags(given);
  const { cookie, device, readOnly, exclusive, notrim: noTrim } = flags;
  const spec = imageSpec(text, flags);
  const { pool, namespace, image, snapshot } = spec;
  const snapId = snapshotOf(spec, flags);
  const index = device === undefined ? undefined : deviceNumber(device);
  const request = {
    image: { pool, namespace, image, snapshot },
    ...(typeof snapId === "number" && { snapshotId: snapId }),
    ...{ index, isAttached, cookie, nbdsMax: flags.nbdsMax, maxPart: flags.maxPart },
    ...(readOnly && { readOnly }),
    ...(exclusive && { exclusive }),
    ...(noTrim && { noTrim }),
    ...{ ioTimeout: flags.ioTimeout, reattachTimeout: flags.reattachTimeout ?? usualReattachTimeout },
    encryption: encryptionLayers(flags)?.map(({ version, passphraseFile }) => ({
      ...{ version, passphraseFile: resolve(passphraseFile) },
    })),
  };
  await withRbdsCode(async () => {
    const mappings = await listMappings(directory);
    if (isAttached) await assertWaiting(mappings, index, flags);
    const known = mappings.find((each) => isOf(each, spec, flags));
    if (known !== undefined) warn(`image already mapped as ${known.device}`);
    const cluster = await clusterOptions(flags);
    const started = await startDevice({ cluster, request, directory }, warn, interruption.signal);
    const shown = flags.showCookie && started.cookie !== undefined ? ` ${started.cookie}` : "";
    process.stdout.write(`${started.device}${shown}\n`);
  });
}

/** Throws unless the device exists, has no process, and has the given cookie. */
async function assertWaiting(
  mappings: readonly DeviceMapping[],
  index: number | undefined,
  { cookie, force }: DeviceFlags,
): Promise<void> {
  if (index === undefined) throw usage("must specify device to attach", "name it: --device /dev/nbdN");
  if (cookie === undefined && !force) {
    throw usage(
      "could not validate attach request",
      "mismatching the image and the device may lead to data corruption: must specify --cookie <arg> or --force to proceed",
    );
  }
  const device = `/dev/nbd${index}`;
  const served = mappings.find((each) => each.device === device);
  if (served !== undefined) throw wrong(`${device} has process ${served.pid} connected`);
  const known = await cookieOf(index);
  if (known === undefined && cookie !== undefined) throw wrong("kernel does not have cookie support");
  if (known !== undefined && cookie === undefined) throw wrong("must specify cookie to attach");
  if (known !== cookie) throw wrong("cookie mismatch");
}

function isOf(mapping: DeviceMapping, spec: ImageSpec, flags: { snapId?: string }): boolean {
  const { pool, namespace, image } = spec;
  const snapshot = snapshotOf(spec, flags);
  const named = typeof snapshot === "number" ? `@${snapshot}` : (snapshot ?? "");
  return (
    mapping.pool === pool &&
    mapping.namespace === namespace &&
    mapping.image === image &&
    mapping.snapshot === named
  );
}

/** rbd exits with EINVAL for everything that the kernel refuses, because its helper reports no exact error. */
async function withRbdsCode(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof SiphonError) || error.code !== "SIPHON_ATTACH_DEVICE") throw error;
    throw new SiphonError("EINVAL", error.message, { cause: error, ...adviceOf(error) });
  }
}

function wrong(message: string): AttachError {
  return new AttachError("SIPHON_ATTACH_DEVICE", message);
}

function warn(line: string): void {
  process.stderr.write(`rbd: warning: ${line}\n`);
}

const directory = `${usualRunDirectory}/devices`;
/** Seconds; rbd-nbd's default. */
const usualReattachTimeout = 30;
