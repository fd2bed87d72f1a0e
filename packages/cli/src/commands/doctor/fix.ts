import { readFile } from "node:fs/promises";
import { DoctorError, examineVm, fixFor, type InputFile, vmOfHost } from "@siphon/doctor";
import { Command } from "commander";
import { readInputs } from "./inputs.ts";
import { renderedFix, replaceFile } from "./write-fix.ts";

interface FixFlags {
  finding: string;
  disk?: string;
  write?: boolean;
}

export function fixCommand(): Command {
  return new Command("fix")
    .description(
      "Print the change for one finding in the platform's syntax: a patch of the file, commands, or both.\n" +
        "Only --write changes files, and keeps a copy beside each of them.",
    )
    .argument("<what...>", "files as for siphon doctor vm, or the Proxmox id or domain of a running VM")
    .requiredOption("--finding <id>", "the finding to fix")
    .option("--disk <name>", "this disk only (default: every disk that has the finding)")
    .option("--write", "write the change into the files; FILE.siphon-TIME keeps the old content")
    .action(run);
}

async function run(words: string[], { finding, disk, write }: FixFlags): Promise<void> {
  const files = (await readInputs(words)) ?? (await configurationOf(words[0]!));
  if (files === undefined) return explainRunning(words[0]!, finding, disk, write === true);
  const fix = fixFor(files, finding, disk);
  process.stdout.write(renderedFix(fix, write === true));
  if (write !== true) return;
  if (fix.patches.length === 0) {
    throw new DoctorError("SIPHON_NO_FIX", `${finding} is not mended by a change of these files`, {
      hint: "do by hand what is written above",
    });
  }
  for (const patch of fix.patches) process.stdout.write(`${await replaceFile(patch, words)}\n`);
}

/** The configuration file of a Proxmox VM id. A libvirt domain has none here: it is changed through libvirt. */
async function configurationOf(name: string): Promise<InputFile[] | undefined> {
  const path = `/etc/pve/qemu-server/${name}.conf`;
  const text = /^\d+$/.test(name) ? await readFile(path, "utf8").catch(() => undefined) : undefined;
  if (text !== undefined) {
    const storages = await readFile("/etc/pve/storage.cfg", "utf8").catch(() => undefined);
    return [
      { name: path, text },
      ...(storages === undefined ? [] : [{ name: "/etc/pve/storage.cfg", text: storages }]),
    ];
  }
  return undefined;
}

/** A running VM is changed through the system that manages it: prints the change in words, and how to get a patch. */
async function explainRunning(
  name: string,
  finding: string,
  disk: string | undefined,
  write: boolean,
): Promise<void> {
  const { disks, vm } = examineVm(await vmOfHost(name, { seconds: 0 }));
  const chosen = disks.filter((each) => disk === undefined || each.disk === disk);
  const found = [...chosen, { disk: "", ...vm }].flatMap(({ disk: of, findings }) =>
    findings.filter(({ id }) => id === finding).map(({ fix }) => `# ${of === "" ? "" : `${of}: `}${fix}`),
  );
  const hint = `virsh dumpxml --inactive ${name} > ${name}.xml; siphon doctor fix ${name}.xml --finding ${finding} --write; virsh define ${name}.xml`;
  if (found.length === 0)
    throw new DoctorError("SIPHON_NO_FIX", `${name} has no finding ${finding}`, {
      hint: `siphon doctor vm ${name} lists what it has`,
    });
  if (write)
    throw new DoctorError("SIPHON_NO_FIX", "the change of a running VM goes through what runs it", { hint });
  process.stdout.write(`${[...new Set(found)].join("\n")}\n# of a libvirt domain, as a patch: ${hint}\n`);
}
