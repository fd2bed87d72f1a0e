import {
  type ClusterSpecInput,
  formatSize,
  LabError,
  LocalCluster,
  type LocalClusterStatus,
  platformNamed,
} from "@siphon/lab";
import Table from "cli-table3";
import { Command, Option } from "commander";
import { interruption } from "../interruption.ts";
import { keyTypeOption, numberOption, withStateDir } from "../options.ts";
import { terminalSteps } from "../progress.ts";
import { sizeOption } from "../size-option.ts";
import { deployCommand } from "./cluster-deploy.ts";

export function clusterCommand(): Command {
  return new Command("cluster")
    .description(
      "Real Ceph clusters on this machine: monitors, manager and OSDs on 127.0.0.1, each cluster in one directory " +
        "with its own configuration and keys. Nothing is written to /etc; several run side by side. With deploy, " +
        "clusters on other hosts.",
    )
    .addCommand(withStateDir(upCommand()))
    .addCommand(withStateDir(downCommand()))
    .addCommand(withStateDir(statusCommand()))
    .addCommand(withStateDir(listCommand()))
    .addCommand(withStateDir(deployCommand()));
}

interface UpFlags extends Omit<ClusterSpecInput, "settings"> {
  set?: Record<string, string>;
  ceph?: string;
  dir?: string;
  json?: boolean;
}

function upCommand(): Command {
  const choice = (flags: string, text: string, choices: string[]) => new Option(flags, text).choices(choices);
  return new Command("up")
    .summary("start a cluster, with a pool for images and a user for it")
    .description(
      "Start a cluster and leave it running. It is ready when this command ends: all placement groups are " +
        "active+clean, and a write to the pool has succeeded.",
    )
    .option("--name <name>", "name of the cluster (default: default)")
    .addOption(numberOption("--osds <n>", "OSDs (default: 3)"))
    .addOption(numberOption("--replicas <n>", "copies of each object (default: 3, at most one per OSD)"))
    .addOption(numberOption("--mons <n>", "monitors (default: 1)"))
    .addOption(
      choice("--store <kind>", "object store of the OSDs (default: bluestore, in files)", [
        "bluestore",
        "memstore",
      ]),
    )
    .addOption(choice("--auth <kind>", "authentication (default: none)", ["none", "cephx"]))
    .option(
      "--ceph <root>",
      "programs of a root (siphon root list), or of a directory with a slash in its name",
    )
    .addOption(keyTypeOption())
    .addOption(choice("--msgr <version>", "messenger protocol (default: v2)", ["v1", "v2", "both"]))
    .addOption(
      choice("--wire <mode>", "mode of msgr v2, or any for the client's choice (default: crc)", [
        ...["crc", "secure", "any"],
      ]),
    )
    .addOption(sizeOption("--osd-memory-target <size>", "memory of an OSD (default: 1G)"))
    .addOption(sizeOption("--osd-size <size>", "capacity of an OSD (default: 10G)"))
    .option("--pool <name>", "pool for images (default: libvirt-pool)")
    .option("--user <name>", "user who may use the pool (default: libvirt)")
    .option("--rbd-cache", "do not turn librbd's cache off")
    .option("--mgr-modules", "load the manager's modules (balancer, autoscaler, ...): starts later")
    .option("--set <name=value>", "a Ceph option for all daemons and clients (repeat for more)", setting)
    .option("--json", "print the cluster's status as JSON")
    .addHelpText("after", "\nExample: siphon cluster up --name secure --auth cephx --wire secure")
    .action(up);
}

async function up({ set, ceph, dir, json, ...spec }: UpFlags): Promise<void> {
  const { signal } = interruption;
  const status = await terminalSteps({ quiet: json })("Bring the cluster up", async (report) => {
    const from = await platformNamed(ceph, "ceph");
    await using cluster = await LocalCluster.up({ ...spec, settings: set }, { from, signal, onStep: report });
    const ready = await cluster.status({ signal });
    await cluster.keep();
    return { ...ready, kept: true };
  });
  if (json) return printJson(status);
  const { name, conf, user, pool } = status;
  const where = dir === undefined ? "" : ` --dir ${dir}`;
  process.stdout.write(
    `${describe(status)}\n\nUse it with:  rbd --conf ${conf} --id ${user} ls ${pool}\n` +
      `              ceph --conf ${conf} status\nEnd it with:  siphon cluster down ${name}${where}\n`,
  );
}

function setting(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined) throw new LabError("SIPHON_USAGE", `--set needs NAME=VALUE, not ${text}`);
  return { ...before, [name.trim().replaceAll(/[\s-]/g, "_")]: value.trim() };
}

function downCommand(): Command {
  return new Command("down")
    .summary("stop a cluster and remove its files")
    .description("Stop a cluster and remove its files, with all its data.")
    .argument("[name]", "name of the cluster", "default")
    .option("--keep", "keep the files (logs, stores); a second `down` removes them")
    .option("--json", "print what was taken down as JSON")
    .action(async (name: string, { keep, json }: { keep?: boolean; json?: boolean }) => {
      const cluster = await LocalCluster.find(name);
      if (!cluster.resource.kept && !cluster.resource.stale) {
        throw new LabError("SIPHON_IN_USE", `the cluster ${name} belongs to a siphon that is running`, {
          hint: "end that siphon; its cluster ends with it",
        });
      }
      const { dir } = cluster.resource;
      await terminalSteps({ quiet: json })(`Take the cluster ${name} down`, () => cluster.down({ keep }));
      if (json) printJson({ name, dir, kept: keep ?? false });
      else process.stdout.write(keep ? `its files are in ${dir}\n` : `removed ${dir}\n`);
    });
}

function statusCommand(): Command {
  return new Command("status")
    .summary("show a cluster's daemons, health and use")
    .description("Show a cluster's daemons, health and use. The exit code is 1 unless everything works.")
    .argument("[name]", "name of the cluster", "default")
    .option("--json", "print it as JSON")
    .action(async (name: string, { json }: { json?: boolean }) => {
      const status = await (await LocalCluster.find(name)).status({ signal: interruption.signal });
      if (json) printJson(status);
      else process.stdout.write(`${describe(status)}\n`);
      if (!works(status)) process.exitCode = 1;
    });
}

function listCommand(): Command {
  return new Command("list")
    .summary("list the clusters on this machine")
    .description("List all clusters of this state directory, running or not.")
    .option("--json", "print them as JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const clusters = (await LocalCluster.list()).map(({ name, daemons, resource }) => {
        const running = daemons.filter(({ state }) => state === "running").length;
        const owner = resource.kept ? "stays" : resource.stale ? "left behind" : "in use by a running siphon";
        const created = resource.created.toISOString();
        return { name, running, daemons: daemons.length, owner, created, dir: resource.dir };
      });
      if (json) return printJson(clusters);
      if (clusters.length === 0) {
        process.stdout.write("no clusters; bring one up with: siphon cluster up\n");
        return;
      }
      const table = new Table({
        head: ["name", "daemons", "", "since", "directory"],
        style: { head: [], border: [] },
      });
      for (const { name, running, daemons, owner, created, dir } of clusters) {
        table.push([name, `${running} of ${daemons} run`, owner, created, dir]);
      }
      process.stdout.write(`${table}\n`);
    });
}

function works({ daemons, ceph }: LocalClusterStatus): boolean {
  return (
    daemons.every(({ state }) => state === "running") && ceph !== undefined && ceph.health === "HEALTH_OK"
  );
}

function describe({ name, fsid, dir, pool, user, daemons, ceph }: LocalClusterStatus): string {
  const rows: Record<string, string | undefined> = {
    cluster: `${name} (${fsid})`,
    directory: dir,
    daemons: daemons.map(({ name, pid, state }) => `${name} ${pid ?? state}`).join(", "),
    health: ceph ? [ceph.health, ...ceph.problems].join("; ") : "no monitor answers",
    OSDs: ceph && `${ceph.osdsUp} of ${ceph.osds} up`,
    PGs:
      ceph &&
      Object.entries(ceph.pgs)
        .map(([state, count]) => `${count} ${state}`)
        .join(", "),
    space: ceph && `${formatSize(ceph.bytesUsed)} of ${formatSize(ceph.bytesTotal)} used`,
    pool: `${pool}, for client.${user}`,
  };
  return Object.entries(rows)
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => `${label.padEnd(10)} ${value}`)
    .join("\n");
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
