import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { howToConnect, parseImageSpec, usualName } from "@siphon/attach";
import type { Fix, InputFile, ServedImage, SiphonSide } from "@siphon/doctor";
import { SiphonError } from "@siphon/wire";
import { Command, Option } from "commander";
import { collect } from "./flags.ts";
import { usualRunDirectory } from "./places.ts";

interface ConvertFlags {
  to: "siphon" | "rbd";
  disk?: string[];
  nbd?: boolean;
  sockets: string;
  write?: boolean;
}

export function convertCommand(): Command {
  return new Command("convert")
    .description(
      "Make siphon serve the disks of a libvirt domain that are on librbd, or take that back: shows the change as a diff.\n" +
        "Nothing is changed without --write, which keeps a copy of what was there.",
    )
    .argument("<domain>", "its name, or a file with its XML")
    .addOption(new Option("--to <side>", "server of the disks").choices(["siphon", "rbd"]).default("siphon"))
    .option("--disk <target>", "this disk, such as vda; may be repeated (default: all that can be)", collect)
    .option("--nbd", "over NBD, which keeps a disk's bus and driver (default: vhost-user-blk)")
    .option("--sockets <dir>", "where the service makes sockets", usualRunDirectory)
    .option("--write", "define the domain anew, or write the file; NAME.siphon-TIME keeps what was there")
    .action(convert);
}

async function convert(name: string, { to, disk, nbd, sockets, write }: ConvertFlags): Promise<void> {
  const isFile = await stat(name).then(
    () => true,
    () => false,
  );
  // Loaded only here: the doctor is large, and nothing else in this command needs it.
  const { convertDomain } = await import("@siphon/doctor");
  const { readInputs } = await import("../doctor/inputs.ts");
  const { renderedFix, replaceFile } = await import("../doctor/write-fix.ts");
  const file = isFile ? (await readInputs([name]))![0]! : await domainXml(name);
  const fix = convertDomain(file, to, {
    ...{
      transport: nbd ? "nbd" : "vhost",
      serve: (image: ServedImage) => siphonSide(image, resolve(sockets)),
    },
    ...(disk && { disks: disk }),
  });
  process.stdout.write(renderedFix(fix, write === true));
  if (!write) return;
  const done = isFile ? await replaceFile(fix.patches[0]!, [name]) : await define(name, fix.patches[0]!);
  process.stdout.write(`${done}\n`);
}

/** A disk served by siphon, at the socket that the hook requests from the service. */
function siphonSide({ image, transport, queues, readOnly }: ServedImage, directory: string): SiphonSide {
  parseImageSpec(image);
  const name = usualName(image);
  const socket = join(directory, `${name}.sock`);
  const point =
    transport === "vhost"
      ? ({ kind: "vhost", path: socket, queues, readOnly } as const)
      : ({ kind: "nbd", address: { path: socket }, exportName: image, readOnly, tls: false } as const);
  const { libvirt } = howToConnect(point, "siphon", { qemuVersion: undefined, libvirtUser: undefined });
  // Without the message's prefix for terminals.
  return { name, socket, xml: libvirt.slice(libvirt.indexOf("<disk")) };
}

async function domainXml(name: string): Promise<InputFile> {
  return { name: `${name}.xml`, text: await virsh("dumpxml", "--inactive", "--security-info", "--", name) };
}

async function define(name: string, { before, after }: Fix["patches"][number]): Promise<string> {
  const copy = resolve(`${name}.xml.siphon-${new Date().toISOString().replace(/[:.]/g, "-")}`);
  // The file may hold a password of the VM's console.
  await writeFile(copy, before, { flag: "wx", mode: 0o600 });
  const directory = await mkdtemp(join(tmpdir(), "siphon-convert-"));
  try {
    const file = join(directory, "domain.xml");
    await writeFile(file, after, { mode: 0o600 });
    await virsh("define", file);
  } finally {
    await rm(directory, { recursive: true });
  }
  return `${name} is defined anew, from its next start on; ${copy} is what it was`;
}

async function virsh(...words: string[]): Promise<string> {
  try {
    return (await promisify(execFile)("virsh", ["-q", ...words], { maxBuffer: 16 << 20 })).stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") {
      throw new SiphonError("SIPHON_MISSING_PROGRAM", "a domain's name needs the program virsh", {
        hint: "give a file with its XML",
      });
    }
    throw new SiphonError("SIPHON_USAGE", `libvirt says: ${stderr?.trim()}`, {
      hint: "give a domain's name, or a file with its XML",
    });
  }
}
