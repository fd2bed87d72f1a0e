import { SiphonError } from "@siphon/wire";
import type { Command } from "commander";
import { collect } from "../attach/flags.ts";
import { type EncryptionFlags, withEncryptionFlags } from "./encryption-flags.ts";
import { badOption, usage } from "./image-spec.ts";

/** Options of a device: rbd's own or, behind `-o`, rbd-nbd's. */
export interface DeviceFlags extends EncryptionFlags {
  deviceType?: string;
  options?: string[];
  device?: string;
  cookie?: string;
  snapId?: string;
  showCookie?: boolean;
  readOnly?: boolean;
  exclusive?: boolean;
  force?: boolean;
  notrim?: boolean;
  ioTimeout?: number;
  reattachTimeout?: number;
  nbdsMax?: number;
  maxPart?: number;
}

export function withDeviceFlags(command: Command): Command {
  command
    .option("-t, --device-type <type>", "nbd, which is the only one")
    .option("--read-only", "refuse writes")
    .option("--exclusive", "take the image's lock at once, and give it to nobody")
    .option("--cookie <cookie>", "what the kernel asks of who attaches to the device later")
    .option("--show-cookie", "print the cookie behind the device")
    .option("--snap-id <id>", "snapshot by its id instead of its name")
    .option("--quiesce", "refused")
    .option("--quiesce-hook <path>", "has no effect without --quiesce")
    .option(
      "-o, --options <options>",
      "by commas: notrim, io-timeout=SECONDS, reattach-timeout=SECONDS (default: 30), nbds_max=N, max_part=N, and the options above by their names",
      collect,
    );
  return withEncryptionFlags(command);
}

/** Options behind `-o` that are options of their own in `nbd map`. */
const driverFlags = ["nbds_max", "max_part", "timeout"];

export function withDriverFlags(command: Command): Command {
  for (const name of driverFlags) command.option(`--${name} <n>`, `the same as -o ${name}=N`);
  return command;
}

type Kind = "switch" | "text" | "list" | "number" | "unused";

/** The options allowed behind `-o`: those of rbd-nbd. */
const kinds: Readonly<Record<string, readonly [kind: Kind, key?: keyof DeviceFlags]>> = {
  device: ["text", "device"],
  cookie: ["text", "cookie"],
  "snap-id": ["text", "snapId"],
  "show-cookie": ["switch", "showCookie"],
  "read-only": ["switch", "readOnly"],
  exclusive: ["switch", "exclusive"],
  force: ["switch", "force"],
  notrim: ["switch", "notrim"],
  "io-timeout": ["number", "ioTimeout"],
  timeout: ["number", "ioTimeout"],
  "reattach-timeout": ["number", "reattachTimeout"],
  nbds_max: ["number", "nbdsMax"],
  max_part: ["number", "maxPart"],
  "encryption-format": ["list", "encryptionFormat"],
  "encryption-passphrase-file": ["list", "encryptionPassphraseFile"],
  quiesce: ["switch"],
  "quiesce-hook": ["unused"],
  "try-netlink": ["unused"],
};

/**
 * The flags, merged with the options behind `-o`.
 *
 * @throws SiphonError EOPNOTSUPP for another type of device, and for options that siphon does not implement
 */
export function deviceFlags<Given extends DeviceFlags>(given: Given): Given {
  assertType(given.deviceType);
  const flags = { ...(given as object) } as Record<string, unknown>;
  for (const name of driverFlags) if (flags[name] !== undefined) add(flags, `${name}=${flags[name]}`);
  for (const option of (given.options ?? []).flatMap((text) => text.split(","))) add(flags, option);
  if (flags.quiesce) {
    throw new SiphonError("EOPNOTSUPP", "siphon runs no hooks before snapshots (--quiesce)", {
      hint: "freeze the file system (fsfreeze) around siphon rbd snap create",
    });
  }
  return flags as unknown as Given;
}

function add(flags: Record<string, unknown>, option: string): void {
  const [name = "", ...rest] = option.split("=");
  const value = rest.length === 0 ? undefined : rest.join("=");
  const [kind, key = name] = (Object.hasOwn(kinds, name) ? kinds[name] : undefined) ?? [];
  if (kind === undefined)
    throw usage(`unknown args: --${name}`, `there are ${Object.keys(kinds).join(", ")}`);
  if (kind === "unused") return;
  if (kind === "switch") {
    if (value !== undefined) throw usage(`${name} takes no value`);
    flags[key] = true;
    return;
  }
  if (value === undefined || value === "") throw usage(`Option --${name} requires an argument.`);
  if (kind === "text") flags[key] = value;
  else if (kind === "list") flags[key] = [...((flags[key] as string[] | undefined) ?? []), value];
  else {
    const most = name === "max_part" ? 255 : 2 ** 31 - 1;
    if (!/^\d+$/.test(value) || Number(value) > most) throw usage(`Invalid argument for ${name}!`);
    flags[key] = Number(value);
  }
}

function assertType(type: string | undefined): void {
  if (type === undefined || type === "nbd") return;
  if (type !== "krbd" && type !== "ggate") throw badOption(`there is no device type ${type}: nbd`);
  throw new SiphonError("EOPNOTSUPP", `siphon does not do rbd device -t ${type}`, {
    hint: "map the image over the kernel's NBD driver: -t nbd",
  });
}
