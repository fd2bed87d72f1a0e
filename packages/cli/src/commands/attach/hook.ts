import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { askService, type DiskStatus } from "@siphon/attach";
import type { SiphonDisk } from "@siphon/doctor";
import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import { interruption } from "../../interruption.ts";
import { usualControlSocket } from "./places.ts";

interface HookFlags {
  control: string;
}

export function hookCommand(): Command {
  const withControl = (command: Command) =>
    command.option("--control <socket>", "where the service listens", usualControlSocket);
  return new Command("hook")
    .description(
      "What platforms call before a VM starts and after it has stopped: its disks are added, and removed.",
    )
    .addCommand(
      withControl(
        new Command("libvirt")
          .description(
            "A hook of libvirt's QEMU driver: the disks are in the metadata of the domain on standard input.",
          )
          .argument("<domain>")
          .argument("<operation>", "prepare and release count")
          .argument("[more...]")
          .action(libvirtHook),
      ),
    )
    .addCommand(
      withControl(
        new Command("proxmox")
          .description(
            "A hookscript of Proxmox VE: the disks are lines of the VM's notes, siphon image=POOL/IMAGE.",
          )
          .argument("<vmid>")
          .argument("<phase>", "pre-start and post-stop count")
          .option("--config <dir>", "directory of the VMs' configurations", "/etc/pve/qemu-server")
          .action(proxmoxHook),
      ),
    );
}

async function libvirtHook(
  domain: string,
  operation: string,
  _more: string[],
  { control }: HookFlags,
): Promise<void> {
  if (operation !== "prepare" && operation !== "release") return;
  const xml = await text(process.stdin);
  // Most domains have no disk of siphon's, so the doctor's reader is not even loaded for them.
  if (!xml.includes("urn:siphon:attach")) return;
  const { siphonDisks } = await import("@siphon/doctor");
  const disks = siphonDisks({ name: domain, text: xml });
  await (operation === "prepare" ? attach(disks, control) : detach(disks, control));
}

async function proxmoxHook(
  vmid: string,
  phase: string,
  { control, config }: HookFlags & { config: string },
): Promise<void> {
  if (phase !== "pre-start" && phase !== "post-stop") return;
  if (!/^\d+$/.test(vmid)) throw new SiphonError("SIPHON_USAGE", `${vmid} is no id of a VM`);
  const disks = disksOfNotes(await readFile(`${config}/${vmid}.conf`, "utf8"), vmid);
  await (phase === "pre-start" ? attach(disks, control) : detach(disks, control));
}

/** The notes are the lines with `#` before the first section. `%` and some characters stand as %XX, one for each byte of their UTF-8. */
export function disksOfNotes(text: string, vmid: string): Pick<SiphonDisk, "name" | "words">[] {
  const notes = /^(?:(?!\[).*\n?)*/
    .exec(text)![0]
    .split("\n")
    .filter((line) => line.startsWith("#"));
  const lines = notes.map((line) => decoded(line.slice(1)).trim()).filter((line) => /^siphon\s/.test(line));
  return lines.map((line, i) => {
    const words = new Map<string, string>();
    for (const word of line.split(/\s+/).slice(1)) {
      const at = word.indexOf("=");
      const key = word.slice(0, at);
      if (at < 1) {
        throw new SiphonError(
          "SIPHON_USAGE",
          `the notes of VM ${vmid} have ${word}, which is not NAME=VALUE`,
        );
      }
      if (words.has(key)) {
        throw new SiphonError("SIPHON_USAGE", `the notes of VM ${vmid} repeat ${key} in one line`);
      }
      words.set(key, word.slice(at + 1));
    }
    const { name = `vm-${vmid}-${i}`, ...said } = Object.fromEntries(words);
    return { name, words: said };
  });
}

function decoded(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}

/** Adds all disks or none. A disk that the service already has is kept if its image is the same, and refused otherwise. */
async function attach(disks: readonly Pick<SiphonDisk, "name" | "words">[], control: string): Promise<void> {
  const added: string[] = [];
  try {
    for (const { name, words } of disks) {
      const known = (await ask<DiskStatus[]>(control, { command: "list" })).find(
        (disk) => disk.name === name,
      );
      if (known === undefined) {
        await ask(control, { command: "add", name, disk: words });
        added.push(name);
      } else if (known.image !== words.image) {
        throw new SiphonError(
          "SIPHON_USAGE",
          `the service's disk ${name} is ${known.image || "nonsense"}, and not ${words.image}`,
        );
      } else {
        if (known.state !== "serving") await ask(control, { command: "resume", name });
        await untilFree(known, control);
      }
    }
  } catch (error) {
    for (const name of added) await ask(control, { command: "rm", name, force: true }).catch(() => {});
    throw error;
  }
}

/**
 * Over vhost-user-blk the client is a VM: one that just ended, or another one. Over NBD it may be a program that only
 * reads.
 */
async function untilFree(disk: DiskStatus, control: string): Promise<void> {
  const isFree = async (): Promise<boolean> => {
    const { points, connections } = await ask<DiskStatus>(control, { command: "show", name: disk.name });
    return connections === 0 || points.every(({ point }) => point.kind !== "vhost");
  };
  if (await inTime(isFree)) return;
  throw new SiphonError(
    "SIPHON_ATTACH_DISK",
    `another VM uses the service's disk ${disk.name} (${disk.image})`,
  );
}

/** Disks with a configuration file stay, as do disks that another VM uses: its metadata may be a copy of this VM's. */
async function detach(disks: readonly Pick<SiphonDisk, "name">[], control: string): Promise<void> {
  const listed = await ask<DiskStatus[]>(control, { command: "list" });
  for (const { name } of disks) {
    const known = listed.find((disk) => disk.name === name);
    if (known === undefined || known.persistent) continue;
    const isGone = () =>
      ask(control, { command: "rm", name }).then(
        () => true,
        (error: SiphonError) => {
          if (error.remedy?.name === "force-removal") return false;
          throw error;
        },
      );
    if (!(await inTime(isGone))) {
      process.stderr.write(`siphon: ${name} stays attached: another client is connected to it\n`);
    }
  }
}

/** Whether the condition holds within a few seconds: the service may notice a VM's end later than its hook does. */
async function inTime(holds: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + patience;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() > end) return false;
    await sleep(100);
  }
}

/** Milliseconds. */
const patience = 5000;

async function ask<T>(control: string, command: Parameters<typeof askService>[1]): Promise<T> {
  return (await askService(control, command, interruption.signal)) as T;
}
